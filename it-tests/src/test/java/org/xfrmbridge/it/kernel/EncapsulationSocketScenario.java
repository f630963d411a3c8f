package org.xfrmbridge.it.kernel;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.xfrmbridge.it.harness.Requirement;
import org.xfrmbridge.it.harness.Requires;
import org.xfrmbridge.it.harness.Scene;
import org.xfrmbridge.lab.BridgeProcess;
import org.xfrmbridge.lab.Command;
import org.xfrmbridge.lab.Daemon;
import org.xfrmbridge.lab.Topology;

/**
 * Why: a kernel takes ESP from the one socket that a datagram is for; the bridge sees packets, and must know the
 * sockets as well as a kernel does, IPV6_V6ONLY among what counts. Topology: two hosts. Steps: on one a program opens
 * sockets with and without UDP_ENCAP, of both families, on the same ports; the other sends ESP and IKE to each; once
 * with the host's own kernel, once with a bridge. Expected: the same sockets get the same.
 */
@Requires({Requirement.ROOT, Requirement.TUN, Requirement.BRIDGE, Requirement.XFRM_USER, Requirement.DEBIAN_PYTHON})
class EncapsulationSocketScenario {
    private static final Duration LIMIT = Duration.ofSeconds(20);

    @Test
    void shouldTakeEspFromTheSameSocketsAsKernelWhenFamiliesShareAPort() throws IOException {
        String kernel = got(false);
        assertTrue(kernel.contains("4501 v4 got ESP over v4") && !kernel.contains("4504 v6+v4 got ESP"), kernel);
        assertEquals(kernel, got(true));
    }

    private static String got(boolean bridged) throws IOException {
        try (Scene scene = new Scene(bridged ? "encap-bridge" : "encap-kernel")) {
            Topology topology = Topology.direct(scene);
            Path program = scene.file("encap.py");
            try (InputStream text = EncapsulationSocketScenario.class.getResourceAsStream("encap.py")) {
                Files.copy(text, program);
            }
            String[] line = {Requirement.PYTHON, program.toString(), "receive"};
            Command command = bridged
                    ? BridgeProcess.start(scene, topology.left().host()).command(line)
                    : topology.left().host().command(line);
            Daemon receiver = scene.own(topology.left().host().start("encap.py", scene.file("received"), command));
            receiver.awaitOutput("open", LIMIT);
            topology.right()
                    .host()
                    .run(
                            Requirement.PYTHON,
                            program.toString(),
                            "send",
                            topology.left().outer().v4(),
                            topology.left().outer().v6());
            return receiver.finish(LIMIT);
        }
    }
}
