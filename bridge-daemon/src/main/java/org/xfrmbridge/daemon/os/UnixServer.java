package org.xfrmbridge.daemon.os;

import static org.xfrmbridge.daemon.os.Native.LIBC;
import static org.xfrmbridge.daemon.os.Native.check;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import org.xfrmbridge.daemon.os.Native.Memory;

/**
 * A listening unix socket, unix(7). Nothing on it waits. Anybody may connect: who may do what is decided by {@link UnixConnection#credentials}.
 */
public final class UnixServer implements AutoCloseable {
    /** Whether message boundaries are kept. */
    public enum Type {
        STREAM(1),
        SEQPACKET(5);

        private final int number;

        Type(int number) {
            this.number = number;
        }
    }

    static final int AF_UNIX = 1;
    static final int NONBLOCK_CLOEXEC = 0x800 | 0x80000;
    private static final int MAX_PATH_BYTES = 107;
    private static final int BACKLOG = 1024;

    private final Descriptor descriptor;
    private final Path path;

    private UnixServer(Descriptor descriptor, Path path) {
        this.descriptor = descriptor;
        this.path = path;
    }

    private static byte[] bytesOf(Path path) {
        return path.toAbsolutePath().toString().getBytes(StandardCharsets.UTF_8);
    }

    /** Whether a path is short enough for a socket's address. */
    public static boolean fits(Path path) {
        return bytesOf(path).length <= MAX_PATH_BYTES;
    }

    /** Listens at a path; a socket file that is there already is replaced, so hold a lock on the directory. */
    public static UnixServer listen(Path path, Type type) throws OsException {
        byte[] name = bytesOf(path);
        if (!fits(path)) {
            throw new OsException("bind(" + path + ")", 36);
        }
        path.toFile().delete();
        Descriptor descriptor = new Descriptor(
                check(LIBC.socket(AF_UNIX, type.number | NONBLOCK_CLOEXEC, 0), "socket(AF_UNIX, %s)", type));
        try {
            Memory address = new Memory(2 + MAX_PATH_BYTES + 1);
            address.buffer.putShort(0, (short) AF_UNIX).put(2, name);
            check(LIBC.bind(descriptor.fd(), address.pointer, 2 + name.length + 1), "bind(%s)", path);
            check(LIBC.chmod(path.toString(), 0666), "chmod(%s)", path);
            check(LIBC.listen(descriptor.fd(), BACKLOG), "listen(%s)", path);
            return new UnixServer(descriptor, path);
        } catch (OsException e) {
            descriptor.close();
            throw e;
        }
    }

    public int fd() {
        return descriptor.fd();
    }

    /** The next client waiting, or null. */
    public UnixConnection accept() throws OsException {
        int fd = LIBC.accept4(descriptor.fd(), null, null, NONBLOCK_CLOEXEC);
        if (fd >= 0) {
            return new UnixConnection(new Descriptor(fd));
        }
        int errno = Native.errno();
        // ECONNABORTED (103): the client went before it was accepted.
        if (errno == OsException.EAGAIN || errno == OsException.EINTR || errno == 103) {
            return null;
        }
        throw new OsException("accept(" + path + ")", errno);
    }

    /** Removes the socket's file, too. */
    @Override
    public void close() {
        path.toFile().delete();
        descriptor.close();
    }
}
