package org.xfrmbridge.it.demo;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.xfrmbridge.it.harness.Requirement;
import org.xfrmbridge.it.harness.Requires;
import org.xfrmbridge.it.harness.Scene;
import org.xfrmbridge.lab.BridgeProcess;
import org.xfrmbridge.lab.Command;
import org.xfrmbridge.lab.Daemon;

/**
 * Why: the demo is what everybody runs first. Topology: it makes its own. Steps: run it with either source of keys and
 * either attachment, and end it in the middle. Expected: it shows each step, and nothing of it is left.
 */
@Requires({Requirement.ROOT, Requirement.TUN, Requirement.BRIDGE})
class DemoScenario {
    private static final Duration LIMIT = Duration.ofSeconds(90);
    private static final int SIGTERM_EXIT_CODE = 128 + 15;
    private static final List<String> ALWAYS_SHOWN = List.of(
            "both are ready",
            "tmpl src 192.0.2.1 dst 192.0.2.2",
            "5 sent, 5 answered",
            "ESP(spi=0x",
            "no inner address, no text of the pings",
            "Gbit/s",
            "lookups per packet",
            "All of it held");
    private static final Pattern NAMESPACE = Pattern.compile("xbdemo-\\S+");

    @Test
    void shouldExplainItselfAsOtherCommandsDo() {
        String help =
                Command.of(BridgeProcess.program().toString(), "demo", "--help").run();
        for (String part : List.of("--keys=WHO", "Exit code:", "Example:", "no-install")) {
            assertTrue(help.contains(part), help);
        }
    }

    @Test
    void shouldShowProtectedTrafficWhenKeysAreManual() {
        assertShown(
                List.of("--attach", "--keys", "manual"),
                "xfrm0 stands in for eth0",
                "Keys by hand",
                "proto esp spi 0x00001001 reqid 1 mode tunnel");
    }

    @Test
    @Requires(Requirement.CHARON)
    void shouldShowProtectedTrafficWhenCharonNegotiates() {
        assertShown(
                List.of("--keys", "charon"),
                "are as they were",
                "IKE_SA and CHILD_SA are up",
                "ESP:AES_GCM_16-128",
                "IKE, UDP port 500");
    }

    @ParameterizedTest
    @ValueSource(strings = {"host B  ", "A bridge on each", "SAs and policies on", "What a sniffer", "Throughput"})
    void shouldLeaveNothingWhenItIsEndedEarly(String step) {
        try (Scene scene = new Scene("demo-ended")) {
            Daemon demo =
                    scene.own(Daemon.start("demo", scene.file("demo.log"), demo(scene, List.of("--keys", "manual"))));
            demo.awaitOutput(step, LIMIT);
            assertEquals(SIGTERM_EXIT_CODE, demo.terminate());
            assertTrue(demo.output().contains("Interrupted"), demo::output);
            assertNothingLeft(scene, demo.output());
        }
    }

    @Test
    void shouldSayWhatIsWrongWhenKeysAreUnknown() {
        try (Scene scene = new Scene("demo-unknown")) {
            Command.Result result = demo(scene, List.of("--keys", "none")).result();
            assertEquals(2, result.exitCode());
            assertTrue(result.output().contains("--keys"), result.output());
        }
    }

    /** Its logs and sockets are in the scene's directory, so that all it starts can be told by that name. */
    private static Command demo(Scene scene, List<String> options) {
        List<String> line = new ArrayList<>(List.of(BridgeProcess.program().toString(), "demo"));
        line.addAll(options);
        return new Command(line)
                .with("JAVA_TOOL_OPTIONS", "-Djava.io.tmpdir=" + scene.directory())
                .within(LIMIT);
    }

    private static void assertShown(List<String> options, String... lines) {
        try (Scene scene = new Scene("demo-" + options.getLast())) {
            Command.Result result = demo(scene, options).result();
            assertEquals(0, result.exitCode(), result.output());
            for (String line :
                    Stream.concat(Stream.of(lines), ALWAYS_SHOWN.stream()).toList()) {
                assertTrue(result.output().contains(line), () -> "no '" + line + "' in\n" + result.output());
            }
            assertNothingLeft(scene, result.output());
        }
    }

    private static void assertNothingLeft(Scene scene, String output) {
        List<String> namespaces =
                NAMESPACE.matcher(output).results().map(MatchResult::group).toList();
        assertFalse(namespaces.isEmpty(), output);
        for (String namespace : namespaces) {
            assertFalse(Files.exists(Path.of("/run/netns", namespace)), namespace + " is left");
        }
        String directory = scene.directory().toString();
        assertFalse(
                ProcessHandle.allProcesses()
                        .anyMatch(process ->
                                process.info().commandLine().orElse("").contains(directory)),
                "a process is left");
        assertEquals(
                0,
                Objects.requireNonNull(
                                scene.directory().toFile().list((parent, name) -> name.startsWith("xfrm-bridge-demo-")))
                        .length);
    }
}
