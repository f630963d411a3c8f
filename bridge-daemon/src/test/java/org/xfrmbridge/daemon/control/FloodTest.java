package org.xfrmbridge.daemon.control;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.xfrmbridge.daemon.os.CurrentProcess;

/**
 * What an ordinary user can do to the sockets of a bridge, which is in this process, while root adds and reads:
 * {@code bridge-bench/src/main/c/flood.c} for some seconds ({@code bridge-bench/flood.sh} for longer, with times).
 */
@Timeout(120)
class FloodTest {
    private static final Path LIBRARY = Path.of("target/libxfrm-bridge.so").toAbsolutePath();
    private static final Path SOURCE = Path.of("../bridge-bench/src/main/c/flood.c");
    private static final String SECONDS = "3";
    private static final int PATIENCE_SECONDS = 60;

    /** Descriptors that this process opens for itself meanwhile. */
    private static final int SLACK = 16;

    @TempDir
    private Path directory;

    private ServedBridge bridge;
    private String flood;
    private Path library;

    @BeforeEach
    void start() throws Exception {
        assumeTrue(CurrentProcess.effectiveUserId() == 0, "needs root to be somebody else");
        for (Path path = directory; path.startsWith("/tmp/") && path.getNameCount() > 1; path = path.getParent()) {
            Files.setPosixFilePermissions(path, PosixFilePermissions.fromString("rwxr-xr-x"));
        }
        library = Files.copy(LIBRARY, directory.resolve("libxfrm-bridge.so"));
        flood = directory.resolve("flood").toString();
        bridge = new ServedBridge(directory);
        Process compiler = new ProcessBuilder(
                        "cc", "-O2", "-Wall", "-Wextra", "-Werror", "-o", flood, SOURCE.toString())
                .inheritIO()
                .start();
        assertEquals(0, compiler.waitFor());
    }

    @AfterEach
    void stop() {
        if (bridge != null) {
            bridge.close();
        }
    }

    @Test
    void shouldServeRootBesideConnectionsThatComeAndGoAndStay() throws Exception {
        int before = descriptors();
        Process[] floods = {asNobody("accept"), asNobody("accept")};
        Process client = client();
        int most = before;
        while (client.isAlive()) {
            most = Math.max(most, descriptors());
        }
        assertServed(client);
        assertEnded(floods);
        assertTrue(most > before + UnprivilegedConnections.MOST_OF_USER / 2, "connections were kept: " + most);
        assertTrue(
                most <= before + UnprivilegedConnections.MOST_OF_USER + SLACK, before + " descriptors became " + most);
        awaitDescriptors(before);
    }

    @Test
    void shouldServeRootBesideRequestsByTheThousand() throws Exception {
        Process[] floods = {asNobody("datagrams"), asNobody("datagrams")};
        Process client = client();
        assertServed(client);
        assertEnded(floods);
    }

    @Test
    void shouldServeRootBesideThoseWhoAskAndDoNotRead() throws Exception {
        int before = descriptors();
        Process[] floods = {asNobody("send-buffer"), asNobody("send-buffer")};
        Process client = client();
        assertServed(client);
        assertEnded(floods);
        awaitDescriptors(before);
    }

    @Test
    void shouldKeepNoDescriptorWhateverItComesWith() throws Exception {
        int before = descriptors();
        assertEnded(asNobody("descriptors"), asRoot("descriptors"));
        awaitDescriptors(before);
        assertServed(client());
    }

    private Process asNobody(String kind) throws IOException {
        return start(
                List.of("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", flood, kind, SECONDS), null);
    }

    private Process asRoot(String kind) throws IOException {
        return start(List.of(flood, kind, SECONDS), null);
    }

    private Process client() throws IOException {
        return start(List.of(flood, "client", SECONDS), library);
    }

    private Process start(List<String> command, Path preload) throws IOException {
        ProcessBuilder builder = new ProcessBuilder(new ArrayList<>(command)).redirectErrorStream(true);
        builder.environment().put("XFRM_BRIDGE_DIR", directory.toString());
        if (preload != null) {
            builder.environment().put("LD_PRELOAD", preload.toString());
        }
        return builder.start();
    }

    private static void assertServed(Process client) throws Exception {
        String output = assertEnded(client);
        assertTrue(output.strip().endsWith("wrong 0"), output);
    }

    private static String assertEnded(Process... processes) throws Exception {
        String output = "";
        for (Process process : processes) {
            output += new String(process.getInputStream().readAllBytes());
            assertTrue(process.waitFor(PATIENCE_SECONDS, TimeUnit.SECONDS));
            assertEquals(0, process.exitValue(), output);
        }
        return output;
    }

    private static int descriptors() throws IOException {
        try (Stream<Path> all = Files.list(Path.of("/proc/self/fd"))) {
            return (int) all.count();
        }
    }

    private static void awaitDescriptors(int before) throws IOException {
        long startNs = System.nanoTime();
        while (descriptors() > before + SLACK) {
            long waitedNs = System.nanoTime() - startNs;
            assertTrue(
                    waitedNs < TimeUnit.SECONDS.toNanos(PATIENCE_SECONDS),
                    before + " descriptors became " + descriptors());
            Thread.onSpinWait();
        }
    }
}
