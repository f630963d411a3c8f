package org.xfrmbridge.it.watching;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.xfrmbridge.it.harness.Requirement;
import org.xfrmbridge.it.harness.Requires;
import org.xfrmbridge.it.harness.Scene;
import org.xfrmbridge.lab.BridgeProcess;
import org.xfrmbridge.lab.Command;
import org.xfrmbridge.lab.Daemon;
import org.xfrmbridge.lab.Gateway;
import org.xfrmbridge.lab.Topology;

/**
 * Why: what is captured is to be read by Wireshark, and keys are to be in a file only if somebody wants them there.
 * Topology: two hosts with a bridge each, and fixed keys. Steps: they ping through a tunnel while {@code xfrm-bridge
 * capture} runs, with {@code --keys} and without, for the algorithms that people use. Expected: tshark finds both
 * interfaces, comments, and with the keys opens every ESP packet and finds its ICV right; without them no file has a
 * key.
 */
@Requires({Requirement.ROOT, Requirement.TUN, Requirement.BRIDGE, Requirement.TSHARK})
class CaptureScenario {
    private static final Duration SOON = Duration.ofSeconds(30);
    private static final int PINGS = 5;
    private static final String KEY = "0102030405060708090a0b0c0d0e0f10";

    private static Scene scene;
    private static Topology topology;
    private static BridgeProcess left;
    private static BridgeProcess right;

    @BeforeAll
    static void start() {
        scene = new Scene("capture");
        topology = Topology.direct(scene);
        left = BridgeProcess.start(scene, topology.left().host());
        right = BridgeProcess.start(scene, topology.right().host());
        topology.left().routeTo(topology.right(), Gateway.Family.IPV4);
        topology.right().routeTo(topology.left(), Gateway.Family.IPV4);
    }

    @AfterAll
    static void end() {
        if (scene != null) {
            scene.close();
        }
    }

    private static void protect(BridgeProcess bridge, String algorithms, String out, String in) {
        String state = "ip xfrm state add src %s dst %s proto esp spi %s reqid 1 mode tunnel " + algorithms + "\n";
        String script = "ip xfrm state flush; ip xfrm policy flush\n"
                + state.formatted("192.0.2.1", "192.0.2.2", "0x1001")
                + state.formatted("192.0.2.2", "192.0.2.1", "0x1002")
                + "ip xfrm policy add src 10.1.0.0/16 dst 10.2.0.0/16 dir " + out
                + " tmpl src 192.0.2.1 dst 192.0.2.2 proto esp reqid 1 mode tunnel\n"
                + "ip xfrm policy add src 10.2.0.0/16 dst 10.1.0.0/16 dir " + in
                + " tmpl src 192.0.2.2 dst 192.0.2.1 proto esp reqid 1 mode tunnel\n";
        bridge.run("sh", "-ec", script);
    }

    /** What is written while the hosts ping each other. */
    private static Path capture(String name, String... options) {
        Path file = scene.file(name);
        List<String> line = new ArrayList<>(List.of(
                BridgeProcess.program().toString(),
                "capture",
                "--dir",
                left.directory().toString()));
        line.addAll(List.of("-w", file.toString(), "--count", String.valueOf(2 * PINGS)));
        line.addAll(List.of(options));
        line.add("icmp");
        Daemon capture = scene.own(topology.left()
                .host()
                .start(
                        "capture",
                        scene.file(name + ".log"),
                        topology.left().host().command(line)));
        capture.awaitOutput("until Ctrl-C", SOON);
        topology.left().host().run("ping", "-c", String.valueOf(PINGS), "-i", "0.1", "10.2.0.1");
        capture.finish(SOON);
        return file;
    }

    private static List<String> tshark(Path file, Path configuration, String filter, String field) {
        String output = Command.of("tshark", "-r", file.toString(), "-Y", filter, "-T", "fields", "-e", field)
                .with("WIRESHARK_CONFIG_DIR", configuration.toString())
                .run();
        return output.lines()
                .filter(line -> !line.startsWith("Running as user"))
                .toList();
    }

    @ParameterizedTest
    @CsvSource({
        "gcm, aead 'rfc4106(gcm(aes))' 0x%sa1a2a3a4 128",
        "gcm8, aead 'rfc4106(gcm(aes))' 0x%sa1a2a3a4 64",
        "cbc, enc 'cbc(aes)' 0x%1$s auth-trunc 'hmac(sha256)' 0x%1$s%1$s 128",
        "sha512, enc 'cbc(aes)' 0x%1$s auth-trunc 'hmac(sha512)' 0x%1$s%1$s%1$s%1$s 256"
    })
    void shouldGiveWiresharkAllThatItOpensEspWith(String name, String algorithms) throws IOException {
        protect(left, algorithms.formatted(KEY), "out", "in");
        protect(right, algorithms.formatted(KEY), "in", "out");

        Path file = capture(name + ".pcapng", "--keys");

        Path keys = Path.of(file + ".keys");
        assertEquals("rw-------", PosixFilePermissions.toString(Files.getPosixFilePermissions(keys.resolve("esp_sa"))));
        assertEquals(
                2 * PINGS,
                tshark(file, keys, "frame.interface_name==\"outer\" && esp", "frame.number")
                        .size());
        assertEquals(
                2 * PINGS,
                tshark(file, keys, "frame.interface_name==\"outer\" && esp && icmp", "frame.number")
                        .size());
        assertEquals(List.of(), tshark(file, keys, "esp.icv_bad == 1 || _ws.malformed", "frame.number"));
        assertEquals(
                2 * PINGS,
                tshark(file, keys, "frame.interface_name==\"inner\" && icmp", "frame.number")
                        .size());
        String comment = tshark(file, keys, "esp", "frame.comment").getFirst();
        assertTrue(comment.contains("leaves through SA 0x00001001 (esp, 192.0.2.1 -> 192.0.2.2"), comment);
    }

    @ParameterizedTest
    @CsvSource({"plain, aead 'rfc4106(gcm(aes))' 0x%sa1a2a3a4 128"})
    void shouldWriteNoKeyUnlessAsked(String name, String algorithms) throws IOException {
        protect(left, algorithms.formatted(KEY), "out", "in");
        protect(right, algorithms.formatted(KEY), "in", "out");

        Path file = capture(name + ".pcapng");

        assertFalse(Files.exists(Path.of(file + ".keys")));
        String bytes = Files.readString(file, StandardCharsets.ISO_8859_1);
        assertFalse(bytes.contains(KEY));
        assertFalse(bytes.contains(new String(HexFormat.of().parseHex(KEY), StandardCharsets.ISO_8859_1)));
        assertEquals(
                2 * PINGS,
                tshark(file, scene.file("nothing"), "frame.interface_name==\"outer\" && esp", "frame.number")
                        .size());
    }
}
