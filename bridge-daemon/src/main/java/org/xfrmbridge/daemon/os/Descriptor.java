package org.xfrmbridge.daemon.os;

import static org.xfrmbridge.daemon.os.Native.LIBC;
import static org.xfrmbridge.daemon.os.Native.check;

import java.util.concurrent.atomic.AtomicBoolean;
import org.xfrmbridge.daemon.os.Native.Memory;

/** An open file descriptor that is closed once. Closing is for the owner; the number may be read by any thread. */
public final class Descriptor implements AutoCloseable {
    static final int O_RDONLY = 0;
    static final int O_RDWR = 2;
    static final int O_CREAT = 0x40;
    static final int O_NONBLOCK = 0x800;
    static final int O_CLOEXEC = 0x80000;
    private static final int LOCK_EX_NB = 2 | 4;

    private final int fd;
    private final AtomicBoolean closed = new AtomicBoolean();

    Descriptor(int fd) {
        this.fd = fd;
    }

    static Descriptor open(String path, int flags) throws OsException {
        return new Descriptor(check(LIBC.open(path, flags | O_CLOEXEC, 0600), "open(%s)", path));
    }

    /** A descriptor that was inherited, as from {@code --ready-fd}. */
    public static Descriptor inherited(int fd) {
        return new Descriptor(fd);
    }

    /**
     * Locks a file, making it if need be, until the descriptor is closed or the process ends.
     *
     * @return null if somebody else holds the lock
     */
    public static Descriptor lockFile(String path) throws OsException {
        Descriptor file = open(path, O_RDWR | O_CREAT);
        if (LIBC.flock(file.fd, LOCK_EX_NB) == 0) {
            return file;
        }
        int errno = Native.errno();
        file.close();
        if (errno == OsException.EAGAIN) {
            return null;
        }
        throw new OsException("flock(" + path + ")", errno);
    }

    public int fd() {
        return fd;
    }

    /** Writes all of it to a blocking descriptor. */
    public void write(byte[] bytes) throws OsException {
        Memory memory = new Memory(bytes.length);
        memory.buffer.put(0, bytes);
        for (int done = 0; done < bytes.length; ) {
            done += (int) check(LIBC.write(fd, memory.pointer + done, bytes.length - done), "write(fd %s)", fd);
        }
    }

    @Override
    public void close() {
        if (closed.compareAndSet(false, true)) {
            LIBC.close(fd);
        }
    }
}
