package org.xfrmbridge.it.instack;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.util.List;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.xfrmbridge.it.harness.Requirement;
import org.xfrmbridge.it.harness.Requires;
import org.xfrmbridge.it.harness.Scene;
import org.xfrmbridge.it.harness.UmlGuest;
import org.xfrmbridge.lab.Await;
import org.xfrmbridge.lab.BridgeProcess;
import org.xfrmbridge.lab.LabException;

/**
 * Why: which SA a packet gets, which way its ESP takes, and in which pieces, follows marks, rules, routes and the MTU
 * of the device it leaves by. Topology: a host with two wires to a peer, the second of MTU 1400. Steps: many policies,
 * datagrams of all sizes under each (ways.py); once on Linux 6.1 in user-mode-linux, once on a host with a bridge in
 * its stack. Expected: packet for packet the same on both wires, the same path MTU told to who sends too much. But
 * where IPv4 is cut is not judged: a kernel cuts ESP where it would have cut what is inside; and until a host is told,
 * what it sends too long goes out in fragments, where a kernel sends nothing.
 */
@Requires({
    Requirement.ROOT,
    Requirement.TUN,
    Requirement.BRIDGE,
    Requirement.UML,
    Requirement.TCPDUMP,
    Requirement.DEBIAN_PYTHON
})
class EspWayScenario {
    private static final Duration LIMIT = Duration.ofSeconds(120);
    private static final Duration ARRIVAL = Duration.ofSeconds(20);
    private static final String PROGRAM = "ways.py";
    private static final String ROUTES = """
            ip link set eth1 mtu 1400
            ip route add 10.9.0.0/16 via 192.0.2.2
            ip route add 2001:db8:9::/48 via 2001:db8:1::2
            """;
    private static final String GUEST = """
            set -e
            echo 0 > /proc/sys/net/ipv6/conf/default/accept_dad
            ip link set lo up
            for number in 0 1; do
                ip link set vec$number name eth$number
                ip link set eth$number up
            done
            """ + TwoWires.hostAddresses() + ROUTES
            + "while [ ! -e /mnt/go ]; do sleep 0.1; done\n" + Requirement.PYTHON
            + " /mnt/" + PROGRAM + "\nsleep 1\n";

    /** Later fragments of IPv4, and datagrams that were too long: SPIs 0x1013 and 0x1014. */
    private static final Pattern UNJUDGED = Pattern.compile(".* ip-proto-50|.* ESP\\(spi=0x0000101[34],.*");
    /** Lengths of first fragments of IPv4, and of what was compressed with a flow label that its host has drawn. */
    private static final Pattern OF_ANY_LENGTH = Pattern.compile("(ESP\\(spi=0x0000101[125],.*), length \\d+");

    /** @param output what the program said @param wires what was on the wires and is judged */
    private record Outcome(String output, List<String> wires) {}

    @Test
    void shouldSendWhatAKernelSendsWhenMarksRoutesAndDevicesDiffer() {
        Outcome kernel = kernel();
        assertTrue(kernel.wires.size() > 50, kernel::toString);
        Outcome bridge = bridge(kernel.wires);
        assertEquals(kernel.output, bridge.output);
        assertEquals(String.join("\n", kernel.wires), String.join("\n", bridge.wires));
    }

    private static Outcome kernel() {
        try (Scene scene = new Scene("ways-kernel")) {
            TwoWires wires = TwoWires.startForGuest(scene);
            UmlGuest guest = UmlGuest.boot(scene, GUEST, wires.peer(), "one", "two");
            TwoWires.program(PROGRAM, guest.directory().resolve(PROGRAM));
            wires.peer().run("touch", guest.directory().resolve("go").toString());
            return new Outcome(guest.finish(LIMIT), judged(wires));
        }
    }

    private static Outcome bridge(List<String> expected) {
        try (Scene scene = new Scene("ways-bridge")) {
            TwoWires wires = TwoWires.start(scene);
            wires.peer().ip("link", "set", "two", "mtu", "1400");
            wires.host().run("sh", "-ec", ROUTES);
            BridgeProcess bridge = BridgeProcess.start(scene, wires.host());
            String program = TwoWires.program(PROGRAM, scene.file(PROGRAM)).toString();
            String output =
                    bridge.command(Requirement.PYTHON, program).within(LIMIT).run();
            awaitThese(wires, expected);
            return new Outcome(output, judged(wires));
        }
    }

    private static List<String> judged(TwoWires wires) {
        return wires.sent().stream()
                .filter(packet -> !UNJUDGED.matcher(packet).matches())
                .map(packet -> OF_ANY_LENGTH.matcher(packet).replaceFirst("$1"))
                .toList();
    }

    private static void awaitThese(TwoWires wires, List<String> expected) {
        try {
            Await.until("the same packets", ARRIVAL, () -> judged(wires).equals(expected));
        } catch (LabException e) {
            // The comparison shows what differs.
            return;
        }
    }
}
