package org.xfrmbridge.daemon.journal;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Assumptions;
import org.xfrmbridge.daemon.TestNetwork;
import org.xfrmbridge.daemon.os.CurrentProcess;

/** A file system of two megabytes that can be full. */
public final class SmallDisk implements AutoCloseable {
    private final Path path;

    /** Skips the test, with the reason, where it cannot run. */
    public SmallDisk(Path path) throws IOException {
        Assumptions.assumeTrue(CurrentProcess.effectiveUserId() == 0, "needs root, to mount a file system");
        TestNetwork.need("mount");
        this.path = Files.createDirectory(path);
        assertEquals(0, run("mount", "-t", "tmpfs", "-o", "size=2m", "small", path.toString()));
    }

    public Path path() {
        return path;
    }

    public void fill() throws IOException {
        byte[] block = new byte[4096];
        try (OutputStream all = Files.newOutputStream(path.resolve("filling"))) {
            while (true) {
                all.write(block);
            }
        } catch (IOException e) {
            assertEquals("No space left on device", e.getMessage());
        }
    }

    public void makeRoom() throws IOException {
        Files.delete(path.resolve("filling"));
    }

    private static int run(String... line) throws IOException {
        return new ProcessBuilder(line).inheritIO().start().onExit().join().exitValue();
    }

    @Override
    public void close() throws IOException {
        assertEquals(0, run("umount", "--lazy", path.toString()));
    }
}
