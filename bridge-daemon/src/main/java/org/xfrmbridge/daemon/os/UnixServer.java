package org.xfrmbridge.daemon.os;

import static org.xfrmbridge.daemon.os.Native.LIBC;
import static org.xfrmbridge.daemon.os.Native.check;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import org.xfrmbridge.daemon.os.Native.Memory;

/**
 * A listening unix socket, unix(7). Nothing on it waits. Who may connect the socket's file tells; who may do what is
 * decided by {@link UnixConnection#credentials} and by those of each message.
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

    /**
     * Who waits may have sent as much as its buffer holds, and others wait no longer than it takes to refuse so many.
     */
    private static final int PUBLIC_BACKLOG = 64;

    private static final int SOL_SOCKET = 1;
    private static final int SO_PASSCRED = 16;
    private static final int SO_PASSRIGHTS = 83;

    /** Mode of a socket's file that everybody may connect to. */
    public static final int FOR_ALL = 0666;

    private final Descriptor descriptor;
    private final Path path;
    private final Type type;

    private UnixServer(Descriptor descriptor, Path path, Type type) {
        this.descriptor = descriptor;
        this.path = path;
        this.type = type;
    }

    private static byte[] bytesOf(Path path) {
        return path.toAbsolutePath().toString().getBytes(StandardCharsets.UTF_8);
    }

    /** Whether a path is short enough for a socket's address. */
    public static boolean fits(Path path) {
        return bytesOf(path).length <= MAX_PATH_BYTES;
    }

    /**
     * Listens at a path; a socket file that is there already is replaced, so hold a lock on the directory.
     *
     * @param mode of the socket's file: who may write to it may connect
     */
    public static UnixServer listen(Path path, Type type, int mode) throws OsException {
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
            check(LIBC.chmod(path.toString(), mode), "chmod(%s)", path);
            // Connections inherit these: not even the first message is without its sender.
            check(set(descriptor, SO_PASSCRED, 1), "setsockopt(SO_PASSCRED)");
            if (mode == FOR_ALL) {
                // Closing a stranger's descriptor may take as long as that likes. Before Linux 6.16 it cannot be
                // helped.
                set(descriptor, SO_PASSRIGHTS, 0);
            }
            check(LIBC.listen(descriptor.fd(), mode == FOR_ALL ? PUBLIC_BACKLOG : BACKLOG), "listen(%s)", path);
            return new UnixServer(descriptor, path, type);
        } catch (OsException e) {
            descriptor.close();
            throw e;
        }
    }

    private static int set(Descriptor socket, int option, int value) {
        return LIBC.setsockopt(socket.fd(), SOL_SOCKET, option, Memory.ofInt(value).pointer, 4);
    }

    public int fd() {
        return descriptor.fd();
    }

    /** The next client waiting, or null. */
    public UnixConnection accept() throws OsException {
        int fd = LIBC.accept4(descriptor.fd(), 0, 0, NONBLOCK_CLOEXEC);
        if (fd >= 0) {
            return new UnixConnection(new Descriptor(fd), type);
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
