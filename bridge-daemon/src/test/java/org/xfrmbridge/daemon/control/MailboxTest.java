package org.xfrmbridge.daemon.control;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.xfrmbridge.daemon.os.ClientSocket;
import org.xfrmbridge.daemon.os.CurrentProcess;

/**
 * Clients whose messages pass through mailboxes and sockets alike: {@code src/test/c/hammer.c} under the preload
 * library, with a bridge in this process ({@code -Dhammer.seconds=60} for a minute of it), {@code sockets.c}, which
 * makes the calls that no client should make, and {@code rights.c}, whose sockets and processes change hands.
 */
class MailboxTest {
    private static final Path LIBRARY = Path.of("target/libxfrm-bridge.so").toAbsolutePath();
    private static final Path EXPECTED = Path.of("src/test/c/sockets.expected");
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
        assertEquals(
                4, output.lines().filter(line -> line.endsWith(" requests")).count(), output);
    }

    @Test
    void shouldServeAllWhenAClientDiesWithAClaimedBox() throws Exception {
        run(List.of(hammer, "claimed"), null);
    }

    @Test
    void shouldAnswerOddCallsAsTheKernelWhicheverWayTheyTake() throws Exception {
        String sockets = compileSockets(), expected = Files.readString(EXPECTED);
        assertEquals(expected, run(List.of(sockets), LIBRARY));
        assertEquals(expected, run(List.of(sockets, "talking"), LIBRARY));
    }

    @Test
    void shouldExpectOfOddCallsWhatTheKernelAnswers() throws Exception {
        String release = System.getProperty("os.version");
        assumeTrue(release.startsWith("6.18."), "recorded on Linux 6.18, this is " + release);
        assumeTrue(CurrentProcess.effectiveUserId() == 0, "needs root for a network namespace of its own");
        assertEquals(Files.readString(EXPECTED), run(List.of(compileSockets()), null));
    }

    /** It was compared with Linux 6.18, and of PF_KEY with 6.1. */
    @Test
    void shouldAskWhoOpenedASocketAndWhoSendsForTheirRights() throws Exception {
        assumeTrue(CurrentProcess.effectiveUserId() == 0, "needs root to give it up");
        String rights = directory.resolve("rights").toString();
        run(List.of("cc", "-O1", "-Wall", "-Wextra", "-Werror", "-o", rights, "src/test/c/rights.c"), null);
        admitEverybody();
        Path library = Files.copy(LIBRARY, directory.resolve("libxfrm-bridge.so"));
        String expected = Files.readString(Path.of("src/test/c/rights.expected"));
        assertEquals(expected, run(List.of(rights), library));
        if (hasXfrm()) {
            String netlink = expected.lines()
                    .filter(line -> !line.startsWith("PF_KEY"))
                    .collect(Collectors.joining("\n", "", "\n"));
            assertEquals(netlink, run(List.of("unshare", "--net", rights, "netlink"), null));
        }
    }

    private static boolean hasXfrm() {
        try (ClientSocket socket = ClientSocket.netlink()) {
            return socket != null;
        } catch (IOException e) {
            return false;
        }
    }

    /** The user nobody has to reach the bridge's sockets. */
    private void admitEverybody() throws IOException {
        for (Path path = directory; path.startsWith("/tmp/") && path.getNameCount() > 1; path = path.getParent()) {
            Files.setPosixFilePermissions(path, PosixFilePermissions.fromString("rwxr-xr-x"));
        }
    }

    private String compileSockets() throws IOException, InterruptedException {
        String sockets = directory.resolve("sockets").toString();
        run(
                List.of(
                        "cc",
                        "-O1",
                        "-Wall",
                        "-Wextra",
                        "-Werror",
                        "-Wno-nonnull",
                        "-o",
                        sockets,
                        "src/test/c/sockets.c"),
                null);
        return sockets;
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
