package org.xfrmbridge.it.instack;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.xfrmbridge.it.harness.Requirement;
import org.xfrmbridge.it.harness.Requires;
import org.xfrmbridge.it.harness.Scene;
import org.xfrmbridge.lab.BridgeProcess;
import org.xfrmbridge.lab.Command;

/**
 * Why: a policy is for all devices, or for one, for a mark that the host's own rules or a socket gave, for a port; and
 * what must not be in the clear is dropped wherever it comes in. Topology: a host with two wires to a peer, and a
 * client behind it. Steps: with policies of all these kinds, datagrams from the host, to it, and through it, also long
 * ones, in both families (choices.py); once on a host with its own kernel's XFRM, once with a bridge in its stack.
 * Expected: the same packets on every wire, as often, the same arrive, and the same is counted in
 * {@code /proc/net/xfrm_stat}, and shown by {@code stat}. But a policy of a device is for IPv6 sockets that are not
 * bound to it, too.
 */
@Requires({
    Requirement.ROOT,
    Requirement.TUN,
    Requirement.BRIDGE,
    Requirement.HOST_6_18,
    Requirement.NFT,
    Requirement.TCPDUMP,
    Requirement.DEBIAN_PYTHON
})
class PolicyChoiceScenario {
    private static final Duration LIMIT = Duration.ofSeconds(240);
    private static final String PROGRAM = "choices.py";
    private static final String OF_TRIALS = "udp dst portrange 30001-30999 or ip[6:2] & 0x1fff != 0";
    private static final Pattern SOURCE_PORT = Pattern.compile("(IP6? (?:[0-9a-f:]+|(?:\\d+\\.){3}\\d+))\\.\\d+ > ");
    private static final Pattern DEVICE_IPV6 = Pattern.compile("device of a policy, ipv6 (\\d+) arrived (\\d).*");

    /** @param trials the lines of the program @param wires the packets on all wires */
    private record Outcome(List<String> trials, List<String> wires) {
        Matcher ofDeviceAndIpv6() {
            return trials.stream()
                    .map(DEVICE_IPV6::matcher)
                    .filter(Matcher::matches)
                    .findFirst()
                    .orElseThrow();
        }

        Outcome withoutDeviceAndIpv6() {
            String port = "." + ofDeviceAndIpv6().group(1) + ":";
            return new Outcome(
                    trials.stream()
                            .filter(line -> !DEVICE_IPV6.matcher(line).matches())
                            .toList(),
                    wires.stream().filter(packet -> !packet.contains(port)).toList());
        }
    }

    @Test
    void shouldTakeWhatAKernelTakesWhenPoliciesNameMarksDevicesAndPorts() {
        Outcome kernel = run(false);
        Outcome bridge = run(true);
        assertTrue(kernel.trials.contains("mark by a rule 30007 arrived 0 XfrmOutPolBlock 2"), kernel::toString);
        assertEquals("0", bridge.ofDeviceAndIpv6().group(2));
        Outcome expected = kernel.withoutDeviceAndIpv6();
        Outcome seen = bridge.withoutDeviceAndIpv6();
        assertEquals(String.join("\n", expected.trials), String.join("\n", seen.trials));
        assertEquals(String.join("\n", expected.wires), String.join("\n", seen.wires));
    }

    private static Outcome run(boolean withBridge) {
        try (Scene scene = new Scene(withBridge ? "choices-bridge" : "choices-kernel")) {
            TwoWires wires = TwoWires.start(scene);
            wires.host().route("10.9.0.0/16", "203.0.113.2");
            wires.host().route("2001:db8:9::/64", "2001:db8:2::2");
            List<String> trials =
                    withBridge ? withBridge(scene, wires) : trials(wires.host().command(line(scene, wires)));
            List<String> packets = wires.packets(OF_TRIALS).stream()
                    .map(packet -> SOURCE_PORT.matcher(packet).replaceFirst("$1 > "))
                    .sorted()
                    .toList();
            return new Outcome(trials, packets);
        }
    }
    /** Throws, too, unless {@code stat} says the same as the file that the trials read. */
    private static List<String> withBridge(Scene scene, TwoWires wires) {
        BridgeProcess bridge = BridgeProcess.start(scene, wires.host());
        List<String> trials = trials(bridge.command(line(scene, wires)));
        String stat = bridge.stat();
        for (String counter : List.of("XfrmInTmplMismatch", "XfrmInPolBlock", "XfrmInNoPols")) {
            Pattern counted = Pattern.compile(counter + " (\\d+)");
            int sum = trials.stream()
                    .map(counted::matcher)
                    .filter(Matcher::find)
                    .mapToInt(match -> Integer.parseInt(match.group(1)))
                    .sum();
            assertTrue(
                    sum > 0 && stat.contains("\"" + counter + "\": " + sum), () -> counter + " " + sum + "\n" + stat);
        }
        return trials;
    }

    private static List<String> trials(Command command) {
        return command.within(LIMIT).run().lines().toList();
    }

    private static String[] line(Scene scene, TwoWires wires) {
        return new String[] {
            Requirement.PYTHON,
            TwoWires.program(PROGRAM, scene.file(PROGRAM)).toString(),
            wires.peer().name(),
            wires.client().name()
        };
    }
}
