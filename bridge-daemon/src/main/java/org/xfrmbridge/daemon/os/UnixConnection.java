package org.xfrmbridge.daemon.os;

import static org.xfrmbridge.daemon.os.Native.LIBC;
import static org.xfrmbridge.daemon.os.Native.check;

import java.nio.ByteBuffer;
import java.util.Arrays;
import org.xfrmbridge.daemon.os.Native.Memory;

/** The server's end of one client's unix socket. Nothing waits. Control thread only: all connections share one thread's memory. */
public final class UnixConnection implements AutoCloseable {
    /** Who is at the other end, as of its connect(): from SO_PEERCRED and SO_PEERGROUPS. */
    public record Credentials(int pid, int uid, int[] gids) {
        public boolean isIn(int gid) {
            return Arrays.stream(gids).anyMatch(member -> member == gid);
        }
    }

    /** Returned by {@link #receive} when nothing is there. */
    public static final int NOTHING = -1;

    /** Largest message taken; a client's send buffer allows no more by default. */
    public static final int MAX_MESSAGE_BYTES = 1 << 20;

    private static final int SOL_SOCKET = 1;
    private static final int SO_PEERCRED = 17;
    private static final int SO_SNDBUFFORCE = 32;
    private static final int SO_PEERGROUPS = 59;
    private static final int SIOCOUTQ = 0x5411;
    private static final int MSG_PEEK = 2;
    private static final int MSG_DONTWAIT = 0x40;
    private static final int MSG_NOSIGNAL = 0x4000;
    private static final int MSG_CMSG_CLOEXEC = 0x40000000;
    private static final int MAX_GROUPS = 1024;
    private static final int MAX_ADDRESS_BYTES = 110;
    private static final ThreadLocal<Memory> MEMORY = ThreadLocal.withInitial(() -> new Memory(MAX_MESSAGE_BYTES));
    private static final ThreadLocal<Envelope> ENVELOPE = ThreadLocal.withInitial(() -> new Envelope(MEMORY.get(), MAX_MESSAGE_BYTES));

    private final Descriptor descriptor;
    private Descriptor passed;
    private final Memory unread = new Memory(4);

    UnixConnection(Descriptor descriptor) {
        this.descriptor = descriptor;
    }

    public int fd() {
        return descriptor.fd();
    }

    public Credentials credentials() throws OsException {
        ByteBuffer peer = option(SO_PEERCRED, "SO_PEERCRED", 12);
        ByteBuffer groups = option(SO_PEERGROUPS, "SO_PEERGROUPS", 4 * MAX_GROUPS);
        int[] gids = new int[1 + groups.limit() / 4];
        gids[0] = peer.getInt(8);
        for (int i = 1; i < gids.length; i++) {
            gids[i] = groups.getInt(4 * (i - 1));
        }
        return new Credentials(peer.getInt(0), peer.getInt(4), gids);
    }

    private ByteBuffer option(int option, String optionName, int maxBytes) throws OsException {
        Memory value = new Memory(maxBytes);
        Memory length = Memory.ofInt(maxBytes);
        check(
                LIBC.getsockopt(descriptor.fd(), SOL_SOCKET, option, value.pointer, length.pointer),
                "getsockopt(%s)",
                optionName);
        return value.buffer.limit(length.buffer.getInt(0));
    }

    /** The name the client bound its socket to, without the family; an abstract one starts with a zero byte. Empty if unbound. */
    public byte[] peerName() throws OsException {
        Memory address = new Memory(MAX_ADDRESS_BYTES);
        Memory length = Memory.ofInt(MAX_ADDRESS_BYTES);
        check(LIBC.getpeername(descriptor.fd(), address.pointer, length.pointer), "getpeername()");
        byte[] name = new byte[Math.max(0, Math.min(length.buffer.getInt(0), MAX_ADDRESS_BYTES) - 2)];
        address.buffer.get(2, name);
        return name;
    }

    /** Lets that many bytes wait for a client that does not read. */
    public void setSendBuffer(int bytes) throws OsException {
        Memory value = Memory.ofInt(bytes);
        check(LIBC.setsockopt(descriptor.fd(), SOL_SOCKET, SO_SNDBUFFORCE, value.pointer, 4), "setsockopt(SO_SNDBUFFORCE)");
    }

    /**
     * Takes what is there: one message, or bytes of a stream.
     *
     * @param into room for {@link #MAX_MESSAGE_BYTES}; the caller wipes it if it held secrets
     * @return number of bytes, 0 at the end of the stream, {@link #NOTHING} if nothing is there
     */
    public int receive(byte[] into) throws OsException {
        return receive(into, MSG_DONTWAIT);
    }

    /** The same, but leaves it there: the next {@link #receive} takes it. */
    public int peek(byte[] into) throws OsException {
        return receive(into, MSG_DONTWAIT | MSG_PEEK);
    }

    private int receive(byte[] into, int flags) throws OsException {
        Memory memory = MEMORY.get();
        return received(LIBC.recv(descriptor.fd(), memory.pointer, into.length, flags), memory, into);
    }

    /** As {@link #receive(byte[])}, and keeps a descriptor that came with the message: the caller asks for {@link #passed}. */
    public int receiveWithDescriptor(byte[] into) throws OsException {
        Envelope envelope = ENVELOPE.get().empty();
        int bytes = received(LIBC.recvmsg(descriptor.fd(), envelope.pointer(), MSG_DONTWAIT | MSG_CMSG_CLOEXEC), MEMORY.get(), into);
        passed = bytes > 0 ? envelope.passed() : null;
        return bytes;
    }

    /** What came with the last message, the caller's to close; null if there was none. */
    public Descriptor passed() {
        Descriptor result = passed;
        passed = null;
        return result;
    }

    private int received(long bytes, Memory memory, byte[] into) throws OsException {
        if (bytes < 0) {
            int errno = Native.errno();
            if (errno == OsException.EAGAIN || errno == OsException.EINTR) {
                return NOTHING;
            }
            throw new OsException("recv(fd " + descriptor.fd() + ")", errno);
        }
        memory.buffer.get(0, into, 0, (int) bytes);
        return (int) bytes;
    }

    /**
     * Sends one message, or bytes of a stream.
     *
     * @return number of bytes taken, {@link #NOTHING} if there is no room now
     */
    public int send(byte[] bytes, int offset, int length) throws OsException {
        Memory memory = length <= MAX_MESSAGE_BYTES ? MEMORY.get() : new Memory(length);
        memory.buffer.put(0, bytes, offset, length);
        long sent = LIBC.send(descriptor.fd(), memory.pointer, length, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (sent < 0) {
            int errno = Native.errno();
            if (errno == OsException.EAGAIN || errno == OsException.EINTR || errno == OsException.ENOBUFS) {
                return NOTHING;
            }
            throw new OsException("send(fd " + descriptor.fd() + ")", errno);
        }
        return (int) sent;
    }

    /** What was sent here and not read at the other end: bytes of the kernel's memory. */
    public int unreadBytes() {
        return LIBC.ioctl(descriptor.fd(), SIOCOUTQ, unread.pointer) == 0 ? unread.buffer.getInt(0) : 0;
    }

    @Override
    public void close() {
        descriptor.close();
    }
}
