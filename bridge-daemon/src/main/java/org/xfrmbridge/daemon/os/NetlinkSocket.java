package org.xfrmbridge.daemon.os;

import static org.xfrmbridge.daemon.os.Native.LIBC;
import static org.xfrmbridge.daemon.os.Native.check;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.xfrmbridge.daemon.os.Native.Memory;

/**
 * A socket to the real kernel's NETLINK_ROUTE, NETLINK_SOCK_DIAG or NETLINK_NETFILTER, netlink(7). One thread at a
 * time.
 */
public final class NetlinkSocket implements AutoCloseable {
    private static final int AF_NETLINK = 16;
    private static final int SOCK_RAW_CLOEXEC = 3 | 0x80000;
    private static final int NETLINK_ROUTE = 0;
    private static final int NETLINK_SOCK_DIAG = 4;
    private static final int NETLINK_NETFILTER = 12;
    private static final int SOL_SOCKET = 1;
    private static final int SOL_NETLINK = 270;
    private static final int SO_SNDBUF = 7;
    private static final int SO_RCVBUF = 8;
    private static final int SO_SNDBUFFORCE = 32;
    private static final int SO_RCVBUFFORCE = 33;
    private static final int SO_NETNS_COOKIE = 71;
    private static final int NETLINK_ADD_MEMBERSHIP = 1;
    private static final int NETLINK_DROP_MEMBERSHIP = 2;
    private static final int NETLINK_EXT_ACK = 11;
    private static final int NETLINK_GET_STRICT_CHK = 12;
    private static final int MSG_DONTWAIT = 0x40;
    private static final int RECEIVE_BYTES = 1 << 17;
    /** Every kernel has room for that. */
    private static final int DEFAULT_SEND_BYTES = 1 << 17;

    private final String name;
    private final Descriptor descriptor;
    private final Memory memory = new Memory(RECEIVE_BYTES);
    private Memory writes;

    /** To NETLINK_ROUTE. @param groups RTNLGRP_ numbers to listen to */
    public NetlinkSocket(int... groups) throws OsException {
        this(NETLINK_ROUTE, "NETLINK_ROUTE");
        try {
            // Without it a kernel ignores the filters of a dump.
            set(SOL_NETLINK, NETLINK_GET_STRICT_CHK, 1);
            for (int group : groups) {
                join(group);
            }
        } catch (OsException e) {
            descriptor.close();
            throw e;
        }
    }

    /** To NETLINK_SOCK_DIAG, sock_diag(7). */
    public static NetlinkSocket toSocketDiagnosis() throws OsException {
        return new NetlinkSocket(NETLINK_SOCK_DIAG, "NETLINK_SOCK_DIAG");
    }

    /** To NETLINK_NETFILTER, linux/netfilter/nfnetlink.h. */
    public static NetlinkSocket toNetfilter() throws OsException {
        return new NetlinkSocket(NETLINK_NETFILTER, "NETLINK_NETFILTER");
    }

    /** The same, which another process has opened and bound. */
    public static NetlinkSocket ofNetfilter(Descriptor descriptor) {
        return new NetlinkSocket(descriptor, "NETLINK_NETFILTER");
    }

    private NetlinkSocket(Descriptor descriptor, String name) {
        this.name = name;
        this.descriptor = descriptor;
        set(SOL_NETLINK, NETLINK_EXT_ACK, 1);
        set(SOL_SOCKET, SO_RCVBUFFORCE, 4 << 20);
    }

    private NetlinkSocket(int protocol, String name) throws OsException {
        this(new Descriptor(check(LIBC.socket(AF_NETLINK, SOCK_RAW_CLOEXEC, protocol), "socket(%s)", name)), name);
        try {
            Memory address = new Memory(12);
            address.buffer.putShort(0, (short) AF_NETLINK);
            check(LIBC.bind(descriptor.fd(), address.pointer, 12), "bind(%s)", name);
        } catch (OsException e) {
            descriptor.close();
            throw e;
        }
    }

    /** How much may wait to be received; in a container maybe less. */
    public void setReceiveBuffer(int bytes) {
        if (set(SOL_SOCKET, SO_RCVBUFFORCE, bytes) != 0) {
            set(SOL_SOCKET, SO_RCVBUF, bytes);
        }
    }

    /** Makes room for one message of that length; in a container maybe less. */
    public void setSendBuffer(int bytes) {
        if (bytes > DEFAULT_SEND_BYTES && set(SOL_SOCKET, SO_SNDBUFFORCE, bytes) != 0) {
            set(SOL_SOCKET, SO_SNDBUF, bytes);
        }
    }

    /** Takes all that is there; whether there was anything, or had been and was lost. */
    public boolean drain() {
        boolean any = false;
        while (LIBC.recv(descriptor.fd(), memory.pointer, RECEIVE_BYTES, MSG_DONTWAIT) >= 0
                || Native.errno() == OsException.ENOBUFS) {
            any = true;
        }
        return any;
    }

    /** A kernel that does not know a group has no events of it: that is no error. */
    public void join(int group) throws OsException {
        int result = set(SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, group);
        if (result == -1 && Native.errno() != OsException.EINVAL) {
            check(result, "setsockopt(NETLINK_ADD_MEMBERSHIP, %s)", group);
        }
    }

    public void leave(int group) throws OsException {
        check(set(SOL_NETLINK, NETLINK_DROP_MEMBERSHIP, group), "setsockopt(NETLINK_DROP_MEMBERSHIP, %s)", group);
    }

    private int set(int level, int option, int value) {
        return LIBC.setsockopt(descriptor.fd(), level, option, Memory.ofInt(value).pointer, 4);
    }

    /** The number of the socket's network namespace, which no other has until the next boot; 0 before Linux 5.14. */
    public long namespaceCookie() throws OsException {
        Memory cookie = new Memory(Long.BYTES);
        int result = LIBC.getsockopt(
                descriptor.fd(), SOL_SOCKET, SO_NETNS_COOKIE, cookie.pointer, Memory.ofInt(Long.BYTES).pointer);
        if (result == -1 && Native.errno() == OsException.ENOPROTOOPT) {
            return 0;
        }
        check(result, "getsockopt(SO_NETNS_COOKIE)");
        return cookie.buffer.getLong(0);
    }

    public int fd() {
        return descriptor.fd();
    }

    public void send(byte[] message) throws OsException {
        Memory request = message.length <= RECEIVE_BYTES ? memory : new Memory(message.length);
        request.buffer.put(0, message);
        check(LIBC.send(descriptor.fd(), request.pointer, message.length, 0), "send(%s)", name);
    }

    /** Waits for the next datagram; the view holds until the next call. ENOBUFS tells that events were lost. */
    public ByteBuffer receive() throws OsException {
        return view(check(LIBC.recv(descriptor.fd(), memory.pointer, RECEIVE_BYTES, 0), "recv(%s)", name));
    }

    /**
     * The next datagram if there is one, else null; the view holds until the next call. ENOBUFS tells that events were
     * lost.
     */
    public ByteBuffer poll() throws OsException {
        long bytes = LIBC.recv(descriptor.fd(), memory.pointer, RECEIVE_BYTES, MSG_DONTWAIT);
        if (bytes < 0 && Native.errno() == OsException.EAGAIN) {
            return null;
        }
        return view(check(bytes, "recv(%s)", name));
    }

    /**
     * Takes the next datagram if there is one, for {@link #received}; without an object for each, and lost ones do not
     * matter.
     *
     * @return its bytes, negative if there is none
     */
    public int read() {
        long bytes;
        do {
            bytes = LIBC.recv(descriptor.fd(), memory.pointer, RECEIVE_BYTES, MSG_DONTWAIT);
        } while (bytes < 0 && Native.errno() == OsException.ENOBUFS);
        return (int) bytes;
    }

    /** What {@link #read} took, from 0 on, in native order. */
    public ByteBuffer received() {
        return memory.buffer;
    }

    /** Room for what {@link #write} sends, from 0 on, in native order. */
    public ByteBuffer prepareWrites(int bytes) {
        writes = new Memory(bytes);
        return writes.buffer;
    }

    /** Sends the first bytes of that room. A refusal is answered, or nothing is. */
    public void write(int bytes) {
        LIBC.send(descriptor.fd(), writes.pointer, bytes, 0);
    }

    private ByteBuffer view(long bytes) {
        return memory.buffer.slice(0, (int) bytes).order(ByteOrder.nativeOrder());
    }

    @Override
    public void close() {
        descriptor.close();
    }
}
