package org.xfrmbridge.it.kernel;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.xfrmbridge.it.harness.Requirement;
import org.xfrmbridge.it.harness.Requires;
import org.xfrmbridge.it.harness.Scene;
import org.xfrmbridge.lab.Attachment;
import org.xfrmbridge.lab.BridgeProcess;
import org.xfrmbridge.lab.Daemon;
import org.xfrmbridge.lab.Gateway;
import org.xfrmbridge.lab.Namespace;

/**
 * Why: an inbound policy holds for whatever brings IP to the host's stack: any link address, any tags, broadcasts,
 * groups that a Linux bridge keeps for itself. A kernel's own XFRM sits behind all that; the bridge in front of it must
 * come to the same. Topology: a host and a peer on one wire. Steps: the peer sends IP in frames of all shapes, drawn
 * from one seed, to a host with its own kernel's XFRM and to one with a bridge, with no policies, with ones that block
 * everything, and with ones that block one port. Expected: no datagram arrives behind the bridge that does not arrive
 * with the kernel, nor more often; nothing arrives where everything is blocked. Without policies all arrives, but what
 * is for the group of pause frames, which a Linux bridge never passes on, if the bridge is on the wire.
 */
@Requires({
    Requirement.ROOT,
    Requirement.TUN,
    Requirement.BRIDGE,
    Requirement.XFRM_USER,
    Requirement.NFT,
    Requirement.DEBIAN_PYTHON
})
class LinkShapeScenario {
    private static final Duration LIMIT = Duration.ofSeconds(30);
    private static final String HOST_MAC = "02:00:00:00:00:01";
    private static final List<String> NOBODYS = List.of("020000000077", "020000000078", "020000000079");
    /**
     * Where the group of pause frames stands among the destinations that the program says it sent to: after the host's
     * address and three more.
     */
    private static final String TO_PAUSE_GROUP = " to 6,";

    private enum Policies {
        NONE,
        ONE_PORT("proto", "udp", "dport", "7777"),
        ALL;

        private final String[] upper;

        Policies(String... upper) {
            this.upper = upper;
        }

        /** One {@code ip xfrm policy} for each family and direction. */
        private List<String[]> commands() {
            List<String[]> commands = new ArrayList<>();
            for (String any : this == NONE ? new String[0] : new String[] {"0.0.0.0/0", "::/0"}) {
                for (String direction : new String[] {"in", "fwd"}) {
                    List<String> line = new ArrayList<>(List.of("ip", "xfrm", "policy", "add", "src", any, "dst", any));
                    line.addAll(List.of(upper));
                    line.addAll(List.of("dir", direction, "action", "block"));
                    commands.add(line.toArray(String[]::new));
                }
            }
            return commands;
        }
    }

    /** @param arrived how often which numbers arrived @param sent what the numbers were, line by line */
    private record Outcome(Map<Integer, Integer> arrived, List<String> sent) {
        String about(int number) {
            for (String line : sent) {
                String[] range = line.split("[- ]", 3);
                int first = Integer.parseInt(range[0]);
                if (first <= number && number <= Integer.parseInt(range[1])) {
                    return "packet " + (number - first) + " of " + line;
                }
            }
            return "packet " + number;
        }
    }

    @ParameterizedTest
    @EnumSource
    void shouldLetEverythingArriveThatAKernelTakesWhenThereAreNoPolicies(Attachment attachment) throws IOException {
        Outcome kernel = run(Policies.NONE, null);
        Outcome bridge = run(Policies.NONE, attachment);
        assertTrue(kernel.arrived.size() > 1000, kernel.arrived::toString);
        assertNoMore(kernel, bridge);
        for (int number : kernel.arrived.keySet()) {
            boolean excused =
                    attachment == Attachment.WIRE && kernel.about(number).contains(TO_PAUSE_GROUP);
            assertTrue(excused || bridge.arrived.containsKey(number), () -> "lost: " + kernel.about(number));
        }
    }

    @ParameterizedTest
    @EnumSource
    void shouldLetNothingArriveThatAKernelBlocksWhenPoliciesAreForOnePort(Attachment attachment) throws IOException {
        Outcome kernel = run(Policies.ONE_PORT, null);
        Outcome bridge = run(Policies.ONE_PORT, attachment);
        assertFalse(bridge.arrived.isEmpty());
        assertNoMore(kernel, bridge);
    }

    @ParameterizedTest
    @EnumSource
    void shouldLetNothingArriveWhenEverythingIsBlocked(Attachment attachment) throws IOException {
        assertEquals(Map.of(), run(Policies.ALL, null).arrived);
        assertNoMore(new Outcome(Map.of(), List.of()), run(Policies.ALL, attachment));
    }

    private static void assertNoMore(Outcome kernel, Outcome bridge) {
        bridge.arrived.forEach((number, times) -> {
            int most = kernel.arrived.getOrDefault(number, 0);
            assertTrue(times <= most, () -> "it arrived " + times + " times: " + bridge.about(number));
        });
    }

    private static Outcome run(Policies policies, Attachment attachment) throws IOException {
        String name =
                "link-shapes-" + policies.name().toLowerCase() + "-" + (attachment == null ? "kernel" : attachment);
        try (Scene scene = new Scene(name)) {
            Namespace host = new Namespace(scene, "host");
            Namespace peer = new Namespace(scene, "peer");
            Namespace.connect(host, Gateway.DEVICE, peer, Gateway.DEVICE);
            host.ip("link", "set", Gateway.DEVICE, "address", HOST_MAC);
            host.address(Gateway.DEVICE, "192.0.2.1/24");
            host.address(Gateway.DEVICE, "2001:db8:7::1/64");
            BridgeProcess bridge = attachment == null ? null : BridgeProcess.start(scene, host, attachment);
            for (String[] command : policies.commands()) {
                (bridge == null ? host.command(command) : bridge.command(command)).run();
            }
            return exchange(scene, host, peer, attachment);
        }
    }

    private static Outcome exchange(Scene scene, Namespace host, Namespace peer, Attachment attachment)
            throws IOException {
        Path program = scene.file("link-shapes.py");
        try (InputStream text = LinkShapeScenario.class.getResourceAsStream("link-shapes.py")) {
            Files.copy(text, program);
        }
        String device = attachment == null ? Gateway.DEVICE : attachment.device();
        Daemon receiver = scene.own(host.start(
                "link-shapes.py",
                scene.file("received"),
                host.command(Requirement.PYTHON, program.toString(), "receive", device)));
        receiver.awaitOutput("open", LIMIT);
        List<String> line = new ArrayList<>(List.of(Requirement.PYTHON, program.toString(), "send", Gateway.DEVICE));
        line.add(HOST_MAC.replace(":", ""));
        line.addAll(attachment == Attachment.WIRE ? portAddresses(host) : NOBODYS);
        List<String> sent = peer.command(line).within(LIMIT).run().lines().toList();
        Map<Integer, Integer> arrived = new TreeMap<>();
        receiver.finish(LIMIT)
                .lines()
                .filter(text -> text.matches("\\d+"))
                .forEach(text -> arrived.merge(Integer.valueOf(text), 1, Integer::sum));
        return new Outcome(arrived, sent);
    }

    /** Of all devices that the bridge has behind the host's: what is for them a Linux bridge takes in. */
    private static List<String> portAddresses(Namespace host) {
        List<String> addresses = new ArrayList<>();
        for (String device : List.of(Gateway.DEVICE, Attachment.WIRE.device() + "n", Attachment.WIRE.device() + "b")) {
            Matcher address = Pattern.compile("link/ether (\\S+)").matcher(host.ip("link", "show", "dev", device));
            assertTrue(address.find(), device);
            addresses.add(address.group(1).replace(":", ""));
        }
        return addresses;
    }
}
