package org.xfrmbridge.daemon.os;

import static org.xfrmbridge.daemon.os.Native.LIBC;
import static org.xfrmbridge.daemon.os.Native.check;

import java.nio.ByteBuffer;
import java.util.Arrays;
import org.xfrmbridge.daemon.os.Native.Memory;

/**
 * The server's end of one client's unix socket. Nothing waits. One thread: all connections of a thread share memory.
 */
public final class UnixConnection implements AutoCloseable {
    /** Who is at the other end, as of its connect(): from SO_PEERCRED and SO_PEERGROUPS. */
    public record Credentials(int pid, int uid, int[] gids) {
        public boolean isIn(int gid) {
            return Arrays.stream(gids).anyMatch(member -> member == gid);
        }
    }

    /** Returned by {@link #receive} when nothing is there. */
    public static final int NOTHING = -1;

    private static final int AGAIN = -2;

    /** Largest message taken; a client's send buffer allows a fifth of it by default. */
    public static final int MAX_MESSAGE_BYTES = 1 << 20;

    private static final int SOL_SOCKET = 1;
    private static final int SO_PEERCRED = 17;
    private static final int SO_SNDBUF = 7;
    private static final int SO_SNDBUFFORCE = 32;
    private static final int SO_PEERGROUPS = 59;
    private static final int SIOCOUTQ = 0x5411;
    private static final int MSG_PEEK = 2;
    private static final int MSG_TRUNC = 0x20;
    private static final int MSG_DONTWAIT = 0x40;
    private static final int MSG_NOSIGNAL = 0x4000;
    private static final int MSG_CMSG_CLOEXEC = 0x40000000;
    private static final int MAX_GROUPS = 1024;
    private static final int MAX_ADDRESS_BYTES = 110;
    private static final ThreadLocal<Memory> MEMORY = ThreadLocal.withInitial(() -> new Memory(MAX_MESSAGE_BYTES));
    private static final ThreadLocal<MessageHeader> HEADER =
            ThreadLocal.withInitial(() -> new MessageHeader(MEMORY.get()));

    private static final ThreadLocal<Memory> OPTION = ThreadLocal.withInitial(() -> new Memory(4 * MAX_GROUPS));
    private static final ThreadLocal<Memory> OPTION_LENGTH = ThreadLocal.withInitial(() -> new Memory(4));

    private final Descriptor descriptor;
    private final int lengthFlag;
    private Descriptor passed;
    private int senderUid = MessageHeader.NO_ID;
    private int senderGid = MessageHeader.NO_ID;

    UnixConnection(Descriptor descriptor, UnixServer.Type type) {
        this.descriptor = descriptor;
        // Of a stream it would throw bytes away.
        this.lengthFlag = type == UnixServer.Type.SEQPACKET ? MSG_TRUNC : 0;
    }

    public int fd() {
        return descriptor.fd();
    }

    public Credentials credentials() throws OsException {
        ByteBuffer peer = option(SO_PEERCRED, "SO_PEERCRED", 12);
        int pid = peer.getInt(0);
        int uid = peer.getInt(4);
        int gid = peer.getInt(8);
        // Nobody asks for the groups of root.
        ByteBuffer groups = uid == 0 ? peer.limit(0) : option(SO_PEERGROUPS, "SO_PEERGROUPS", 4 * MAX_GROUPS);
        int[] gids = new int[1 + groups.limit() / 4];
        gids[0] = gid;
        for (int i = 1; i < gids.length; i++) {
            gids[i] = groups.getInt(4 * (i - 1));
        }
        return new Credentials(pid, uid, gids);
    }

    private ByteBuffer option(int option, String optionName, int maxBytes) throws OsException {
        Memory value = OPTION.get();
        Memory length = OPTION_LENGTH.get();
        length.buffer.putInt(0, maxBytes);
        check(
                LIBC.getsockopt(descriptor.fd(), SOL_SOCKET, option, value.pointer, length.pointer),
                "getsockopt(%s)",
                optionName);
        return value.buffer.clear().limit(length.buffer.getInt(0));
    }

    /**
     * The name the client bound its socket to, without the family; an abstract one starts with a zero byte. Empty if it
     * is unbound, or gone: then what it sent is still there.
     */
    public byte[] peerName() throws OsException {
        Memory address = OPTION.get();
        Memory length = OPTION_LENGTH.get();
        length.buffer.putInt(0, MAX_ADDRESS_BYTES);
        if (LIBC.getpeername(descriptor.fd(), address.pointer, length.pointer) != 0) {
            if (Native.errno() == OsException.ENOTCONN) {
                return new byte[0];
            }
            throw new OsException("getpeername()", Native.errno());
        }
        byte[] name = new byte[Math.max(0, Math.min(length.buffer.getInt(0), MAX_ADDRESS_BYTES) - 2)];
        address.buffer.clear().get(2, name);
        return name;
    }

    /**
     * Lets that many bytes wait for a client that does not read; in a user namespace no more than net.core.wmem_max.
     */
    public void setSendBuffer(int bytes) throws OsException {
        Memory value = Memory.ofInt(bytes);
        if (LIBC.setsockopt(descriptor.fd(), SOL_SOCKET, SO_SNDBUFFORCE, value.pointer, 4) != 0) {
            check(LIBC.setsockopt(descriptor.fd(), SOL_SOCKET, SO_SNDBUF, value.pointer, 4), "setsockopt(SO_SNDBUF)");
        }
    }

    /**
     * Takes what is there: one message, or bytes of a stream. Descriptors that come with it do not get into this
     * process.
     *
     * @param into room for a message of up to {@link #MAX_MESSAGE_BYTES}; the caller wipes it if it held secrets
     * @return number of bytes, 0 at the end of the stream, {@link #NOTHING} if nothing is there; more than there is
     *     room for if the message was longer, and its end is lost
     */
    public int receive(byte[] into) throws OsException {
        return receive(into, MSG_DONTWAIT | lengthFlag);
    }

    /** The same, but leaves it there: the next {@link #receive} takes it. */
    public int peek(byte[] into) throws OsException {
        return receive(into, MSG_DONTWAIT | MSG_PEEK | lengthFlag);
    }

    private int receive(byte[] into, int flags) throws OsException {
        Memory memory = MEMORY.get();
        int bytes;
        do {
            bytes = judge(LIBC.recv(descriptor.fd(), memory.pointer, into.length, flags));
        } while (bytes == AGAIN);
        return copied(bytes, memory, into);
    }

    /**
     * As {@link #receive(byte[])}, and keeps who sent it, and a descriptor that came with it: the caller asks for
     * {@link #passed}.
     */
    public int receiveWithSender(byte[] into) throws OsException {
        closePassed();
        MessageHeader header = HEADER.get();
        int bytes;
        do {
            int flags = MSG_DONTWAIT | MSG_CMSG_CLOEXEC | lengthFlag;
            bytes = judge(
                    LIBC.recvmsg(descriptor.fd(), header.empty(into.length).pointer(), flags));
        } while (bytes == AGAIN);
        if (bytes >= 0) {
            passed = header.open();
            senderUid = header.uid();
            senderGid = header.gid();
        }
        return copied(bytes, MEMORY.get(), into);
    }

    /** What came with the last message, the caller's to close; null if there was none. It is closed if nobody asks. */
    public Descriptor passed() {
        Descriptor result = passed;
        passed = null;
        return result;
    }

    private void closePassed() {
        if (passed != null) {
            passed.close();
            passed = null;
        }
    }

    /** The real user of who sent the last message with {@link #receiveWithSender}, as this process sees it. */
    public int senderUid() {
        return senderUid;
    }

    /** The same for the real group. */
    public int senderGid() {
        return senderGid;
    }

    /** A client that went with something unread says so once; what it had sent is there, and counts. */
    private int judge(long result) throws OsException {
        if (result >= 0) {
            return (int) result;
        }
        return switch (Native.errno()) {
            case OsException.EAGAIN, OsException.EINTR -> NOTHING;
            case OsException.ECONNRESET -> AGAIN;
            default -> throw new OsException("recv(fd " + descriptor.fd() + ")", Native.errno());
        };
    }

    private static int copied(int bytes, Memory memory, byte[] into) {
        int taken = Math.clamp(bytes, 0, into.length);
        memory.buffer.get(0, into, 0, taken);
        memory.wipe(taken);
        return bytes;
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
        int errno = sent < 0 ? Native.errno() : 0;
        memory.wipe(length);
        if (sent < 0) {
            if (errno == OsException.EAGAIN || errno == OsException.EINTR || errno == OsException.ENOBUFS) {
                return NOTHING;
            }
            throw new OsException("send(fd " + descriptor.fd() + ")", errno);
        }
        return (int) sent;
    }

    /** What was sent here and not read at the other end: bytes of the kernel's memory. */
    public int unreadBytes() {
        Memory unread = OPTION_LENGTH.get();
        return LIBC.ioctl(descriptor.fd(), SIOCOUTQ, unread.pointer) == 0 ? unread.buffer.getInt(0) : 0;
    }

    @Override
    public void close() {
        closePassed();
        descriptor.close();
    }
}
