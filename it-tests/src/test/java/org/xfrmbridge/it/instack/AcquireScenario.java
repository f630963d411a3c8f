package org.xfrmbridge.it.instack;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.xfrmbridge.it.harness.Requirement;
import org.xfrmbridge.it.harness.Requires;
import org.xfrmbridge.it.harness.Scene;
import org.xfrmbridge.lab.BridgeProcess;
import org.xfrmbridge.lab.Command;

/**
 * Why: a daemon learns from an ACQUIRE which packet wants an SA, and by which device it would leave. Topology: a host
 * with two wires to a peer, and a client behind it. Steps: datagrams of the host, with sockets that are bound to
 * devices or addresses, and of the client, under policies for all devices and for one, in both families (acquires.py);
 * once on a host with its own kernel's XFRM, once with a bridge in its stack. Expected: the same ACQUIREs.
 */
@Requires({
    Requirement.ROOT,
    Requirement.TUN,
    Requirement.BRIDGE,
    Requirement.HOST_6_18,
    Requirement.TCPDUMP,
    Requirement.DEBIAN_PYTHON
})
class AcquireScenario {
    private static final Duration LIMIT = Duration.ofSeconds(120);
    private static final String PROGRAM = "acquires.py";
    private static final String ROUTES = """
            ip route add 10.9.0.0/16 via 203.0.113.2 metric 9000
            ip route add 10.9.0.0/16 via 192.0.2.2
            ip route add 2001:db8:9::/64 via 2001:db8:2::2 metric 9000
            ip route add 2001:db8:9::/64 via 2001:db8:1::2
            """;

    @Test
    void shouldAskForWhatAKernelAsks() {
        String kernel = run(false);
        assertTrue(kernel.contains("bound to the other device sel src 203.0.113.1/32"), kernel);
        assertEquals(kernel, run(true));
    }

    private static String run(boolean withBridge) {
        try (Scene scene = new Scene(withBridge ? "acquire-bridge" : "acquire-kernel")) {
            TwoWires wires = TwoWires.start(scene);
            wires.host().run("sh", "-ec", ROUTES);
            String[] line = {
                Requirement.PYTHON,
                TwoWires.program(PROGRAM, scene.file(PROGRAM)).toString(),
                wires.client().name()
            };
            Command command = withBridge
                    ? BridgeProcess.start(scene, wires.host()).command(line)
                    : wires.host().command(line);
            return command.within(LIMIT).run();
        }
    }
}
