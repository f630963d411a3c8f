package org.xfrmbridge.daemon.journal;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Set;

/**
 * DIR/policies, open for appending. Nothing is forced to the disk: what was written outlives the process, and after a crash of the machine
 * its devices are gone, too. One thread.
 */
final class PolicyFile implements AutoCloseable {
    private static final String NAME = "policies";
    private static final FileAttribute<Set<PosixFilePermission>> FOR_OWNER =
            PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------"));

    private final Path fresh;
    private final Path file;
    private final FileChannel channel;

    /** An empty one that takes the place of the directory's file when it is {@link #publish published}. */
    PolicyFile(Path directory) throws IOException {
        file = directory.resolve(NAME);
        fresh = directory.resolve(NAME + ".new");
        Files.deleteIfExists(fresh);
        channel = FileChannel.open(fresh, Set.of(StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE), FOR_OWNER);
    }

    private PolicyFile(FileChannel channel) {
        file = null;
        fresh = null;
        this.channel = channel;
    }

    /** One that takes everything and keeps nothing. */
    static PolicyFile nowhere() throws IOException {
        return new PolicyFile(FileChannel.open(Path.of("/dev/null"), StandardOpenOption.WRITE));
    }

    /** The content of a directory's file, empty if there is none. */
    static ByteBuffer read(Path directory) throws IOException {
        Path file = directory.resolve(NAME);
        if (!Files.exists(file)) {
            return ByteBuffer.allocate(0);
        }
        try (FileChannel channel = FileChannel.open(file)) {
            return channel.map(FileChannel.MapMode.READ_ONLY, 0, channel.size());
        }
    }

    static void delete(Path directory) throws IOException {
        Files.deleteIfExists(directory.resolve(NAME));
    }

    void publish() throws IOException {
        if (fresh != null) {
            Files.move(fresh, file, StandardCopyOption.ATOMIC_MOVE);
        }
    }

    /** Writes from position to limit. */
    void append(ByteBuffer bytes) throws IOException {
        while (bytes.hasRemaining()) {
            channel.write(bytes);
        }
    }

    /** The file stays. */
    @Override
    public void close() throws IOException {
        channel.close();
    }
}
