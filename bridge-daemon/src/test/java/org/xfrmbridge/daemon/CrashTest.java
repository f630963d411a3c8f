package org.xfrmbridge.daemon;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.xfrmbridge.daemon.cli.Main;
import org.xfrmbridge.daemon.os.ControlClient;

/** The program as a process of its own, so that it can be killed. */
@Timeout(120)
class CrashTest {
    private static final String PEER = "192.0.2.2";

    @TempDir
    private Path directory;

    private Process bridge;

    /** Starts a bridge and waits until it is ready. */
    private void run(TestNetwork network) throws Exception {
        List<String> line = new ArrayList<>(List.of(Path.of(System.getProperty("java.home"), "bin", "java").toString(), "-XX:+UseSerialGC"));
        line.addAll(List.of("-cp", System.getProperty("java.class.path"), Main.class.getName(), "run"));
        line.addAll(List.of("--attach", "veth0", "--dir", directory.toString()));
        bridge = network.processHere(line).redirectError(directory.resolve("log").toFile()).start();
        BufferedReader output = bridge.inputReader();
        assertEquals("ready", output.readLine(), this::log);
    }

    private String log() {
        try {
            return Files.readString(directory.resolve("log"));
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
            xfrm(network, "policy add dir out src 192.0.2.1/32 dst 192.0.2.2/32 priority 7 tmpl proto esp reqid 3 mode transport");
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

            bridge.destroy();
            assertTrue(bridge.waitFor(20, TimeUnit.SECONDS));
            assertEquals(0, bridge.exitValue(), this::log);
            assertTrue(network.ping(PEER));
            assertFalse(Files.exists(directory.resolve("policies")));
        }
    }
}
