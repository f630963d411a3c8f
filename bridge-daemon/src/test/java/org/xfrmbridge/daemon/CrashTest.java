package org.xfrmbridge.daemon;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.xfrmbridge.daemon.cli.Main;
import org.xfrmbridge.daemon.journal.SmallDisk;
import org.xfrmbridge.daemon.os.ControlClient;

/** The program as a process of its own, so that it can be killed and get signals. */
@Timeout(120)
class CrashTest {
    private static final String PEER = "192.0.2.2";

    @TempDir
    private Path directory;

    private Process bridge;

    /** Starts a bridge and waits until it is ready. */
    private void run(TestNetwork network) throws Exception {
        run(network, directory.resolve("log"));
    }

    private void run(TestNetwork network, Path log) throws Exception {
        List<String> line = program("run", "--attach", "veth0", "--dir", directory.toString());
        bridge = network.processHere(line).redirectError(log.toFile()).start();
        BufferedReader output = bridge.inputReader();
        assertEquals("ready", output.readLine(), () -> read(log));
    }

    private static List<String> program(String... arguments) {
        List<String> line = new ArrayList<>(
                List.of(Path.of(System.getProperty("java.home"), "bin", "java").toString(), "-XX:+UseSerialGC"));
        line.addAll(List.of("-cp", System.getProperty("java.class.path"), Main.class.getName()));
        line.addAll(List.of(arguments));
        return line;
    }

    private String log() {
        return read(directory.resolve("log"));
    }

    private static String read(Path file) {
        try {
            return Files.readString(file);
        } catch (IOException e) {
            return e.toString();
        }
    }

    private void kill() throws Exception {
        bridge.destroyForcibly();
        assertTrue(bridge.waitFor(10, TimeUnit.SECONDS));
    }

    @AfterEach
    void end() throws Exception {
        if (bridge != null && bridge.isAlive()) {
            kill();
        }
    }

    private String xfrm(TestNetwork network, String arguments) throws Exception {
        return network.exec("sh src/main/sh/exec.sh --dir " + directory + " -- ip -s xfrm " + arguments);
    }

    @Test
    void shouldLetNothingOutInTheClearWhenItWasKilledAndRunsAgain() throws Exception {
        try (TestNetwork network = new TestNetwork()) {
            run(network);
            assertTrue(network.ping(PEER));
            xfrm(
                    network,
                    "policy add dir out src 192.0.2.1/32 dst 192.0.2.2/32 priority 7 tmpl proto esp reqid 3 mode "
                            + "transport");
            String before = xfrm(network, "policy").replaceAll("(add|use) .*", "");
            assertTrue(before.contains("index "), before);
            kill();
            assertFalse(network.ping(PEER));

            run(network);
            assertFalse(network.ping(PEER));
            assertTrue(ControlClient.ask(directory, "proc xfrm_stat").matches("(?s).*XfrmOutNoStates +\t[1-9].*"));
            assertEquals(before, xfrm(network, "policy").replaceAll("(add|use) .*", ""));
            xfrm(network, "policy flush");
            assertTrue(network.ping(PEER));

            end("TERM");
            assertTrue(network.ping(PEER));
            assertFalse(Files.exists(directory.resolve("policies")));
        }
    }

    /** With a signal that it ends by in order. */
    private void end(String signal) throws Exception {
        new ProcessBuilder("kill", "-" + signal, Long.toString(bridge.pid()))
                .start()
                .waitFor();
        assertTrue(bridge.waitFor(20, TimeUnit.SECONDS));
        assertEquals(0, bridge.exitValue(), this::log);
    }

    private String detach(TestNetwork network) throws Exception {
        Process process = network.processHere(program("detach", "--dir", directory.toString()))
                .start();
        String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertEquals(0, process.waitFor());
        return said;
    }

    @ParameterizedTest
    @ValueSource(strings = {"TERM", "INT"})
    void shouldStayClosedAndTakePoliciesUpWhenItEndsWhilePoliciesProtect(String signal) throws Exception {
        try (TestNetwork network = new TestNetwork()) {
            run(network);
            xfrm(
                    network,
                    "policy add dir out src 192.0.2.1/32 dst 192.0.2.2/32 priority 7 tmpl proto esp reqid 3 mode "
                            + "transport");
            String before = xfrm(network, "policy").replaceAll("(add|use) .*", "");
            end(signal);
            assertTrue(log().contains("the bridge leaves 1 policy behind"), this::log);
            assertFalse(network.ping(PEER));

            run(network);
            assertFalse(network.ping(PEER));
            assertEquals(before, xfrm(network, "policy").replaceAll("(add|use) .*", ""));
            end(signal);
            assertFalse(network.ping(PEER));

            String said = detach(network);
            assertTrue(said.startsWith("veth0 has its addresses and routes back; with it ended 1 policy:"), said);
            assertTrue(network.ping(PEER));
            assertFalse(Files.exists(directory.resolve("policies")));
        }
    }

    @Test
    void shouldStayClosedWhenItEndsWhileADefaultVerdictBlocks() throws Exception {
        try (TestNetwork network = new TestNetwork()) {
            run(network);
            xfrm(network, "policy setdefault out block");
            end("TERM");
            assertFalse(network.ping(PEER));
            run(network);
            assertFalse(network.ping(PEER));
            xfrm(network, "policy setdefault out accept");
            assertTrue(network.ping(PEER));
            end("TERM");
            assertTrue(network.ping(PEER));
        }
    }

    @Test
    void shouldGiveTheInterfaceBackWhenItEndsAndPoliciesOnlyLetPass() throws Exception {
        try (TestNetwork network = new TestNetwork()) {
            String before = network.ip("addr show");
            run(network);
            xfrm(network, "policy add dir out src 192.0.2.1/32 dst 192.0.2.2/32");
            end("TERM");
            assertEquals(before, network.ip("addr show"));
        }
    }

    /** Policies come until the disk is full, and the process is killed. */
    @Test
    void shouldStayClosedWhenItWasKilledWhileTheDiskWasFull() throws Exception {
        try (SmallDisk disk = new SmallDisk(directory.resolve("disk"));
                TestNetwork network = new TestNetwork()) {
            Path log = directory.resolve("log");
            directory = disk.path();
            run(network, log);
            xfrm(network, "policy add dir out dst 192.0.2.3/32");
            disk.fill();
            Path batch = log.resolveSibling("batch");
            Files.write(
                    batch,
                    IntStream.range(0, 3000)
                            .mapToObj(
                                    i -> ("xfrm policy add dir out dst 10.0.%d.%d/32 priority 7 tmpl proto esp reqid 3 "
                                                    + "mode transport")
                                            .formatted(i / 250, i % 250))
                            .toList());
            Process ip = network.processHere(List.of(
                            "sh",
                            "src/main/sh/exec.sh",
                            "--dir",
                            directory.toString(),
                            "--",
                            "ip",
                            "-batch",
                            batch.toString()))
                    .redirectErrorStream(true)
                    .start();
            String said = new String(ip.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            assertTrue(
                    said.contains("the bridge cannot write policies down") && said.contains("No space left on device"),
                    said);
            kill();
            assertFalse(network.ping(PEER));

            disk.makeRoom();
            run(network, log);
            assertTrue(
                    Files.readString(log).contains("could not write all policies down: nothing passes"),
                    () -> read(log));
            assertFalse(network.ping(PEER));
            assertFalse(network.pingFromThere("192.0.2.1"));
            assertFalse(xfrm(network, "policy").contains("192.0.2.3"));
            kill();
            run(network, log);
            assertFalse(network.ping(PEER));
            xfrm(network, "policy setdefault in accept fwd accept out accept");
            assertTrue(network.ping(PEER));
            kill();
        }
    }

    @Test
    void shouldNotEndWhenItHearsAHangup() throws Exception {
        try (TestNetwork network = new TestNetwork()) {
            run(network);
            new ProcessBuilder("kill", "-HUP", Long.toString(bridge.pid()))
                    .start()
                    .waitFor();
            assertFalse(bridge.waitFor(2, TimeUnit.SECONDS));
            assertTrue(network.ping(PEER));
            end("TERM");
        }
    }
}
