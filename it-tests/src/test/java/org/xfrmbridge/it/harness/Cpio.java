package org.xfrmbridge.it.harness;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.Set;

/** Writes the archive a kernel unpacks as its first file system: "newc", as in the kernel's buffer-format.rst. */
final class Cpio implements AutoCloseable {
    private static final int DIRECTORY = 0040755;
    private static final int PROGRAM = 0100755;

    private final OutputStream out;
    private final Set<String> directories = new HashSet<>();
    private long written;
    private int inode;

    Cpio(Path archive) throws IOException {
        out = Files.newOutputStream(archive);
    }

    /** Adds a file under an absolute path, and the directories it needs. */
    void add(String path, Path file) throws IOException {
        for (int slash = path.indexOf('/', 1); slash > 0; slash = path.indexOf('/', slash + 1)) {
            addDirectory(path.substring(0, slash));
        }
        entry(path.substring(1), PROGRAM, Files.readAllBytes(file));
    }

    void addDirectory(String path) throws IOException {
        if (directories.add(path)) {
            entry(path.substring(1), DIRECTORY, new byte[0]);
        }
    }

    private void entry(String name, int mode, byte[] data) throws IOException {
        ByteArrayOutputStream header = new ByteArrayOutputStream();
        int[] fields = {++inode, mode, 0, 0, 1, 0, data.length, 0, 0, 0, 0, name.length() + 1, 0};
        header.writeBytes("070701".getBytes(StandardCharsets.US_ASCII));
        for (int field : fields) {
            header.writeBytes("%08x".formatted(field).getBytes(StandardCharsets.US_ASCII));
        }
        header.writeBytes(name.getBytes(StandardCharsets.UTF_8));
        header.write(0);
        aligned(header.toByteArray());
        aligned(data);
    }

    private void aligned(byte[] bytes) throws IOException {
        out.write(bytes);
        written += bytes.length;
        int padding = (int) (-written & 3);
        out.write(new byte[padding]);
        written += padding;
    }

    @Override
    public void close() throws IOException {
        entry("TRAILER!!!", 0, new byte[0]);
        out.close();
    }
}
