package org.xfrmbridge.daemon.os;

import static org.xfrmbridge.daemon.os.Native.LIBC;
import static org.xfrmbridge.daemon.os.Native.check;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.concurrent.locks.LockSupport;
import org.xfrmbridge.daemon.os.Native.Memory;
import org.xfrmbridge.io.LostEventsException;
import org.xfrmbridge.io.MessageSocket;

/**
 * A socket on which a client sends and receives whole messages: NETLINK_XFRM or PF_KEY of the kernel, or a bridge's
 * netlink.sock or pfkey.sock. A kernel's is opened in the network namespace of the calling thread.
 */
public final class ClientSocket implements MessageSocket {
    private static final int AF_KEY = 15;
    private static final int AF_NETLINK = 16;
    private static final int SOCK_RAW_CLOEXEC = 3 | 0x80000;
    private static final int SOCK_SEQPACKET_CLOEXEC = 5 | 0x80000;
    private static final int NETLINK_XFRM = 6;
    private static final int PF_KEY_V2 = 2;
    private static final int SOL_SOCKET = 1;
    private static final int SO_RCVBUF = 8;
    private static final int SO_RCVBUFFORCE = 33;
    private static final int SIOCOUTQ = 0x5411;
    private static final long TAKE_LIMIT_NS = 1_000_000_000L;
    private static final long TAKE_LOOK_NS = 20_000;
    private static final int MSG_NOSIGNAL = 0x4000;
    /** No kernel and no bridge makes longer ones but of PF_KEY, where none is near. */
    private static final int RECEIVE_BYTES = 1 << 16;

    private final Descriptor descriptor;
    private final PollSet poll = new PollSet();
    private final Memory memory = new Memory(RECEIVE_BYTES);

    private ClientSocket(Descriptor descriptor) {
        this.descriptor = descriptor;
    }

    /** The kernel's NETLINK_XFRM. */
    public static ClientSocket netlink() throws OsException {
        ClientSocket socket = new ClientSocket(
                new Descriptor(check(LIBC.socket(AF_NETLINK, SOCK_RAW_CLOEXEC, NETLINK_XFRM), "socket(NETLINK_XFRM)")));
        Memory address = new Memory(12);
        address.buffer.putShort(0, (short) AF_NETLINK);
        try {
            check(LIBC.bind(socket.descriptor.fd(), address.pointer, 12), "bind(NETLINK_XFRM)");
            return socket;
        } catch (OsException e) {
            socket.close();
            throw e;
        }
    }

    /** The kernel's PF_KEY: EAFNOSUPPORT if it has none. */
    public static ClientSocket pfkey() throws OsException {
        return new ClientSocket(
                new Descriptor(check(LIBC.socket(AF_KEY, SOCK_RAW_CLOEXEC, PF_KEY_V2), "socket(PF_KEY)")));
    }

    /** A bridge's, by the path of its socket. */
    public static ClientSocket unix(Path path) throws OsException {
        return new ClientSocket(connect(path));
    }

    static Descriptor connect(Path path) throws OsException {
        Descriptor socket = new Descriptor(
                check(LIBC.socket(UnixServer.AF_UNIX, SOCK_SEQPACKET_CLOEXEC, 0), "socket(AF_UNIX, SEQPACKET)"));
        byte[] name = path.toAbsolutePath().toString().getBytes(StandardCharsets.UTF_8);
        Memory address = new Memory(2 + name.length + 1);
        address.buffer.putShort(0, (short) UnixServer.AF_UNIX).put(2, name);
        try {
            check(LIBC.connect(socket.fd(), address.pointer, 2 + name.length + 1), "connect(%s)", path);
            return socket;
        } catch (OsException e) {
            socket.close();
            throw e;
        }
    }

    @Override
    public void send(ByteBuffer datagram) throws OsException {
        int length = datagram.remaining();
        Memory request = length <= RECEIVE_BYTES ? memory : new Memory(length);
        request.buffer.put(0, datagram, datagram.position(), length);
        try {
            check(LIBC.send(descriptor.fd(), request.pointer, length, MSG_NOSIGNAL), "send(%s bytes)", length);
        } finally {
            // It may have held keys.
            request.wipe(length);
        }
    }

    @Override
    public ByteBuffer receive(int timeoutMs) throws OsException, LostEventsException {
        poll.clear();
        poll.add(descriptor.fd(), PollSet.READ);
        if (timeoutMs >= 0 && poll.await(timeoutMs) == 0) {
            return null;
        }
        long bytes = LIBC.recv(descriptor.fd(), memory.pointer, RECEIVE_BYTES, 0);
        if (bytes < 0 && Native.errno() == OsException.ENOBUFS) {
            throw new LostEventsException();
        }
        check(bytes, "recv()");
        if (bytes == 0) {
            throw new OsException("recv()", OsException.EPIPE);
        }
        return memory.buffer.slice(0, (int) bytes).order(ByteOrder.nativeOrder());
    }

    /** @return what {@code setsockopt} returns */
    private int trySet(int level, int option, int value) {
        return LIBC.setsockopt(descriptor.fd(), level, option, Memory.ofInt(value).pointer, 4);
    }

    /** Sets an option that is a number. */
    public void set(int level, int option, int value) throws OsException {
        check(trySet(level, option, value), "setsockopt(%s, %s, %s)", level, option, value);
    }

    @Override
    public void setReceiveBuffer(int bytes) throws OsException {
        if (trySet(SOL_SOCKET, SO_RCVBUFFORCE, bytes) != 0) {
            set(SOL_SOCKET, SO_RCVBUF, bytes);
        }
    }

    /** As the kernel reports it: twice what was set. */
    public int receiveBufferBytes() throws OsException {
        Memory value = new Memory(4);
        Memory length = Memory.ofInt(4);
        check(
                LIBC.getsockopt(descriptor.fd(), SOL_SOCKET, SO_RCVBUF, value.pointer, length.pointer),
                "getsockopt(SO_RCVBUF)");
        return value.buffer.getInt(0);
    }

    /**
     * Waits, at most a second, until the other end has taken all that was sent: what others send from then on is
     * handled later.
     */
    public void awaitTaken() {
        Memory unread = new Memory(4);
        long startNs = System.nanoTime();
        while (LIBC.ioctl(descriptor.fd(), SIOCOUTQ, unread.pointer) == 0
                && unread.buffer.getInt(0) > 0
                && System.nanoTime() - startNs < TAKE_LIMIT_NS) {
            LockSupport.parkNanos(TAKE_LOOK_NS);
        }
    }

    @Override
    public void close() {
        descriptor.close();
        // What was received last may have held keys.
        memory.wipe(RECEIVE_BYTES);
    }
}
