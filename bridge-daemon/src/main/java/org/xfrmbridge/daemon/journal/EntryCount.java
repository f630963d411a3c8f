package org.xfrmbridge.daemon.journal;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.MappedByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Set;

/**
 * How many entries a journal ought to hold, in a file of its own, DIR/policies.count: it goes up before the request
 * that made an entry is answered, and by one store to mapped memory, which needs neither a system call nor room on the
 * disk. A journal with fewer entries is known not to be whole: writing failed, or the process was killed between the
 * two. If the disk under it breaks, the store ends the process (InternalError), which closes. One thread.
 */
final class EntryCount {
    private static final String NAME = "policies.count";

    /** Of a directory without one. */
    static final long NONE = -1;

    private final Path file;
    private final ByteBuffer memory;

    private EntryCount(Path file, ByteBuffer memory) {
        this.file = file;
        this.memory = memory.order(ByteOrder.nativeOrder());
    }

    /** That of a directory; a new one begins with this number. */
    static EntryCount open(Path directory, long first) throws IOException {
        Path file = directory.resolve(NAME);
        boolean known = read(directory) != NONE;
        try (FileChannel channel = FileChannel.open(
                file,
                Set.of(StandardOpenOption.CREATE, StandardOpenOption.READ, StandardOpenOption.WRITE),
                JournalFile.FOR_OWNER)) {
            if (!known) {
                // Room on the disk is taken here, where that can be refused.
                channel.write(
                        ByteBuffer.allocate(Long.BYTES)
                                .order(ByteOrder.nativeOrder())
                                .putLong(0, first),
                        0);
            }
            MappedByteBuffer memory = channel.map(FileChannel.MapMode.READ_WRITE, 0, Long.BYTES);
            return new EntryCount(file, memory);
        }
    }

    /** One that is kept nowhere. */
    static EntryCount nowhere() {
        return new EntryCount(null, ByteBuffer.allocateDirect(Long.BYTES));
    }

    /** What a directory's file says, {@link #NONE} if there is none. */
    static long read(Path directory) throws IOException {
        Path file = directory.resolve(NAME);
        if (!Files.exists(file)) {
            return NONE;
        }
        byte[] content = Files.readAllBytes(file);
        return content.length < Long.BYTES
                ? NONE
                : ByteBuffer.wrap(content).order(ByteOrder.nativeOrder()).getLong();
    }

    static void delete(Path directory) throws IOException {
        Files.deleteIfExists(directory.resolve(NAME));
    }

    /** Whether a reader would find it. */
    boolean isInPlace() {
        return file == null || Files.exists(file);
    }

    long get() {
        return memory.getLong(0);
    }

    void increment() {
        memory.putLong(0, memory.getLong(0) + 1);
    }
}
