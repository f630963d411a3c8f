package org.xfrmbridge.daemon.control;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Clients whose messages pass through mailboxes and sockets alike: {@code src/test/c/hammer.c} under the preload library, with a bridge in this
 * process. {@code -Dhammer.seconds=60} for a minute of it.
 */
class MailboxTest {
    private static final Path LIBRARY = Path.of("target/libxfrm-bridge.so").toAbsolutePath();
    private static final String SECONDS = System.getProperty("hammer.seconds", "6");
    private static final int PATIENCE_SECONDS = 60 + Integer.parseInt(SECONDS);

    @TempDir
    private Path directory;

    private ServedBridge bridge;
    private String hammer;

    @BeforeEach
    void start() throws Exception {
        hammer = directory.resolve("hammer").toString();
        run(List.of("cc", "-O2", "-Wall", "-Wextra", "-Werror", "-pthread", "-o", hammer, "src/test/c/hammer.c"), null);
        bridge = new ServedBridge(directory);
    }

    @AfterEach
    void stop() {
        bridge.close();
    }

    @Test
    void shouldAnswerEachRequestInOrderWhicheverWayItTakes() throws Exception {
        String output = run(List.of(hammer, SECONDS), LIBRARY);
        assertEquals(4, output.lines().filter(line -> line.endsWith(" requests")).count(), output);
    }

    @Test
    void shouldServeAllWhenAClientDiesWithAClaimedBox() throws Exception {
        run(List.of(hammer, "claimed"), null);
    }

    private String run(List<String> command, Path preload) throws IOException, InterruptedException {
        ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
        builder.environment().put("XFRM_BRIDGE_DIR", directory.toString());
        if (preload != null) {
            builder.environment().put("LD_PRELOAD", preload.toString());
        }
        Path output = directory.resolve("output");
        Process process = builder.redirectOutput(output.toFile()).start();
        boolean ended = process.waitFor(PATIENCE_SECONDS, TimeUnit.SECONDS);
        process.destroyForcibly();
        assertTrue(ended, () -> command + " still runs");
        assertEquals(0, process.exitValue(), Files.readString(output));
        return Files.readString(output);
    }
}
