package org.xfrmbridge.daemon.os;

import static org.xfrmbridge.daemon.os.Native.LIBC;
import static org.xfrmbridge.daemon.os.Native.check;

import org.xfrmbridge.daemon.os.Native.Memory;

/**
 * Sends IP packets of one family as the host's own, header included, raw(7): they take its routes and pass its rules.
 * One thread at a time.
 */
public final class RawSocket implements AutoCloseable {
    private static final int AF_INET = 2;
    private static final int SOCK_RAW_CLOEXEC_NONBLOCK = 3 | 0x80000 | 0x800;
    /** Protocol of packets that have their header. */
    private static final int IPPROTO_RAW = 255;

    private static final int MAX_PACKET_BYTES = 2048;
    private static final int SOCKADDR_IN_BYTES = 16;
    private static final int SOCKADDR_IN6_BYTES = 28;

    private final int family;
    private final Descriptor descriptor;
    private final Memory memory = new Memory(MAX_PACKET_BYTES);
    private final Memory address = new Memory(SOCKADDR_IN6_BYTES);

    /** EPERM without CAP_NET_RAW. */
    public RawSocket(int family) throws OsException {
        this.family = family;
        descriptor =
                new Descriptor(check(LIBC.socket(family, SOCK_RAW_CLOEXEC_NONBLOCK, IPPROTO_RAW), "socket(SOCK_RAW)"));
    }

    /** Sends to the destination in the header; false if the host does not take it: no way there, full, too long. */
    public boolean send(byte[] data, int at, int bytes) {
        if (bytes > MAX_PACKET_BYTES) {
            return false;
        }
        boolean v4 = family == AF_INET;
        address.buffer.putShort(0, (short) family).put(v4 ? 4 : 8, data, v4 ? at + 16 : at + 24, v4 ? 4 : 16);
        memory.buffer.put(0, data, at, bytes);
        return LIBC.connect(descriptor.fd(), address.pointer, v4 ? SOCKADDR_IN_BYTES : SOCKADDR_IN6_BYTES) == 0
                && LIBC.send(descriptor.fd(), memory.pointer, bytes, 0) == bytes;
    }

    @Override
    public void close() {
        descriptor.close();
    }
}
