package org.xfrmbridge.it.pfkey;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.xfrmbridge.it.harness.Requirement;
import org.xfrmbridge.it.harness.Requires;
import org.xfrmbridge.it.harness.Scene;
import org.xfrmbridge.it.harness.UmlGuest;
import org.xfrmbridge.lab.Attachment;
import org.xfrmbridge.lab.BridgeProcess;
import org.xfrmbridge.lab.Gateway;
import org.xfrmbridge.lab.Namespace;

/**
 * Why: what racoon and setkey send must be answered as a kernel answers it, also what surrounds PF_KEY: buffers, socket
 * policies, /proc/net/pfkey, a socket passed to a child. Topology: one host. Steps: {@code client.c} speaks their
 * sequences, on Linux 6.1 and on a bridge; then it lists 100,000 SAs. Expected: the same lines from both; all SAs,
 * where a kernel's af_key would lose some. {@code -Dit.record} records what the kernel said.
 */
@Requires(Requirement.ROOT)
class PfkeyScenario {
    private static final Duration LIMIT = Duration.ofSeconds(120);
    private static final int MANY = 100_000;
    private static final Path SOURCES = Path.of("src/test/resources/org/xfrmbridge/it/pfkey");

    @ParameterizedTest
    @ValueSource(strings = {"racoon", "setkey", "sockets"})
    @Requires(Requirement.UML_6_1)
    void shouldStillBeTrueOfKernelWhenClientRuns(String name) throws IOException {
        try (Scene scene = new Scene("pfkey-" + name + "-kernel")) {
            UmlGuest guest = UmlGuest.boot(
                    scene,
                    "while [ ! -e /mnt/go ]; do sleep 0.1; done\nip link set lo up\n/mnt/client " + name + " 2>&1\n");
            Files.copy(client(scene), guest.directory().resolve("client"), StandardCopyOption.COPY_ATTRIBUTES);
            Files.createFile(guest.directory().resolve("go"));
            String told = guest.finish(LIMIT);
            if (System.getProperty("it.record") != null) {
                Files.writeString(SOURCES.resolve(name + ".transcript"), told);
            }
            assertEquals(resource(name + ".transcript"), told);
        }
    }

    @ParameterizedTest
    @CsvSource({"racoon, STACK", "setkey, WIRE", "sockets, STACK"})
    @Requires({Requirement.TUN, Requirement.BRIDGE})
    void shouldAnswerAsKernelWhenClientRunsOnBridge(String name, Attachment attachment) throws IOException {
        try (Scene scene = new Scene("pfkey-" + name + "-bridge")) {
            assertEquals(
                    resource(name + ".transcript"),
                    bridge(scene, attachment).run(client(scene).toString(), name));
        }
    }

    @Test
    @Requires({Requirement.TUN, Requirement.BRIDGE})
    void shouldTellOfEverySaWhenThereAreMany() throws IOException {
        try (Scene scene = new Scene("pfkey-many")) {
            BridgeProcess bridge = bridge(scene, Attachment.STACK);
            String client = client(scene).toString();
            assertEquals(
                    MANY + "\n",
                    bridge.command(client, "load", Integer.toString(MANY))
                            .within(LIMIT)
                            .run());

            String told = bridge.command(client, "dump").within(LIMIT).run();

            System.out.print("PF_KEY: " + told);
            assertTrue(told.startsWith(MANY + " SAs in "), told);
        }
    }

    private static BridgeProcess bridge(Scene scene, Attachment attachment) {
        Namespace host = new Namespace(scene, "host");
        Namespace.connect(host, Gateway.DEVICE, new Namespace(scene, "wire"), "left");
        return BridgeProcess.start(scene, host, attachment);
    }

    private static Path client(Scene scene) {
        return PfkeyProgram.compile(scene, "gcc");
    }

    private static String resource(String name) throws IOException {
        try (InputStream in = PfkeyScenario.class.getResourceAsStream(name)) {
            return in == null ? "" : new String(in.readAllBytes(), StandardCharsets.UTF_8);
        }
    }
}
