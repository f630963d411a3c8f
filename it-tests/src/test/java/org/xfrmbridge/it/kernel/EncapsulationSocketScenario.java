package org.xfrmbridge.it.kernel;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.xfrmbridge.it.harness.Requirement;
import org.xfrmbridge.it.harness.Requires;
import org.xfrmbridge.it.harness.Scene;
import org.xfrmbridge.lab.Attachment;
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

    /** IKE comes to each port over both families. */
    private static final int IKE_MESSAGES = 10;

    @ParameterizedTest
    @EnumSource
    void shouldTakeEspFromTheSameSocketsAsKernelWhenFamiliesShareAPort(Attachment attachment) throws IOException {
        Set<String> kernel = got(
                null,
                lines -> lines.stream().filter(line -> line.contains("got IKE")).count() == IKE_MESSAGES);
        assertTrue(kernel.contains("4501 v4 got ESP over v4") && !kernel.contains("4504 v6+v4 got ESP over v4"));
        assertEquals(kernel, got(attachment, lines -> lines.containsAll(kernel)));
    }

    /** @param attachment null for the host's own kernel @param all whether no more is to come */
    private static Set<String> got(Attachment attachment, Predicate<Set<String>> all) throws IOException {
        try (Scene scene = new Scene("encap-" + (attachment == null ? "kernel" : attachment))) {
            Topology topology = Topology.direct(scene);
            Path program = scene.file("encap.py");
            try (InputStream text = EncapsulationSocketScenario.class.getResourceAsStream("encap.py")) {
                Files.copy(text, program);
            }
            String[] line = {Requirement.PYTHON, program.toString(), "receive"};
            Command command = (attachment == null
                            ? topology.left().host().command(line)
                            : BridgeProcess.start(scene, topology.left().host(), attachment)
                                    .command(line))
                    .withOpenInput();
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
            receiver.await("get what it should", LIMIT, () -> all.test(lines(receiver.output())));
            return lines(receiver.finish(LIMIT));
        }
    }

    private static Set<String> lines(String output) {
        return output.lines().collect(Collectors.toCollection(TreeSet::new));
    }
}
