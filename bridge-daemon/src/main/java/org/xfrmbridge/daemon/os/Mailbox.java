package org.xfrmbridge.daemon.os;

import static org.xfrmbridge.daemon.os.Native.LIBC;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/** The two boxes that a client shares with the bridge: {@code src/main/c/box.h}. One thread: the one that mapped it. */
public final class Mailbox implements AutoCloseable {
    private static final int F_GET_SEALS = 1034;
    private static final int F_SEAL_SHRINK = 2;
    private static final long BYTES = 2L * MailboxSlot.BYTES;

    private final Arena arena = Arena.ofConfined();
    private final MailboxSlot requests;
    private final MailboxSlot answers;

    private Mailbox(FileChannel memory) throws IOException {
        try {
            MemorySegment whole = memory.map(FileChannel.MapMode.READ_WRITE, 0, BYTES, arena);
            requests = new MailboxSlot(whole.asSlice(0, MailboxSlot.BYTES));
            answers = new MailboxSlot(whole.asSlice(MailboxSlot.BYTES, MailboxSlot.BYTES));
        } catch (IOException e) {
            arena.close();
            throw e;
        }
    }

    /**
     * Maps what a client passed. The descriptor stays the caller's.
     *
     * @throws IOException if it is no memory of the right size, or the client could take it away again
     */
    public static Mailbox map(Descriptor memory) throws IOException {
        int seals = LIBC.fcntl(memory.fd(), F_GET_SEALS, 0);
        if (seals < 0 || (seals & F_SEAL_SHRINK) == 0) {
            throw new OsException("fcntl(fd " + memory.fd() + ", F_GET_SEALS)", OsException.EPERM);
        }
        Path path = Path.of("/proc/self/fd", String.valueOf(memory.fd()));
        try (FileChannel channel = FileChannel.open(path, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
            if (channel.size() != BYTES) {
                throw new OsException("mmap(fd " + memory.fd() + ')', OsException.EINVAL);
            }
            return new Mailbox(channel);
        }
    }

    /** To the bridge. */
    public MailboxSlot requests() {
        return requests;
    }

    /** To the client. */
    public MailboxSlot answers() {
        return answers;
    }

    @Override
    public void close() {
        requests.stop();
        arena.close();
    }
}
