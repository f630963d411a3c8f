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
 * A journal of a directory, open for appending. Nothing is forced to the disk: what was written outlives the process,
 * and after a crash of the machine its devices are gone, too. One thread.
 */
final class JournalFile implements AutoCloseable {
    static final FileAttribute<Set<PosixFilePermission>> FOR_OWNER =
            PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------"));

    private final Path fresh;
    private final Path file;
    private final FileChannel channel;
    private Object identity;

    /** An empty one that takes the place of the directory's file of this name when it is {@link #publish published}. */
    JournalFile(Path directory, String name) throws IOException {
        file = directory.resolve(name);
        fresh = directory.resolve(name + ".new");
        Files.deleteIfExists(fresh);
        channel = FileChannel.open(fresh, Set.of(StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE), FOR_OWNER);
    }

    private JournalFile(FileChannel channel) {
        file = null;
        fresh = null;
        this.channel = channel;
    }

    /** One that takes everything and keeps nothing. */
    static JournalFile nowhere() throws IOException {
        return new JournalFile(FileChannel.open(Path.of("/dev/null"), StandardOpenOption.WRITE));
    }

    /** The content of a directory's file, empty if there is none. */
    static ByteBuffer read(Path directory, String name) throws IOException {
        Path file = directory.resolve(name);
        if (!Files.exists(file)) {
            return ByteBuffer.allocate(0);
        }
        try (FileChannel channel = FileChannel.open(file)) {
            return channel.map(FileChannel.MapMode.READ_ONLY, 0, channel.size());
        }
    }

    static void delete(Path directory, String name) throws IOException {
        Files.deleteIfExists(directory.resolve(name));
    }

    void publish() throws IOException {
        if (fresh != null) {
            Files.move(fresh, file, StandardCopyOption.ATOMIC_MOVE);
            identity = identity();
        }
    }

    /** Whether a reader would find it. */
    boolean isInPlace() {
        try {
            return file == null || identity.equals(identity());
        } catch (IOException e) {
            return false;
        }
    }

    private Object identity() throws IOException {
        return Files.getAttribute(file, "unix:ino");
    }

    /** Writes from position to limit; if that fails, a part may have been written. */
    void append(ByteBuffer bytes) throws IOException {
        while (bytes.hasRemaining()) {
            channel.write(bytes);
        }
    }

    /** Closes one that was never published, and gives back what room it took. */
    void discard() throws IOException {
        close();
        if (fresh != null) {
            Files.deleteIfExists(fresh);
        }
    }

    /** The file stays. */
    @Override
    public void close() throws IOException {
        channel.close();
    }
}
