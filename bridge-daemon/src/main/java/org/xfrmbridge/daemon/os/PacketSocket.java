package org.xfrmbridge.daemon.os;

import static org.xfrmbridge.daemon.os.Native.LIBC;
import static org.xfrmbridge.daemon.os.Native.check;

import org.xfrmbridge.daemon.os.Native.Memory;

/** Sees the frames of one interface, both ways, packet(7). One thread. */
public final class PacketSocket implements AutoCloseable {
    private static final int AF_PACKET = 17;
    private static final int SOCK_RAW_CLOEXEC_NONBLOCK = 3 | 0x80000 | 0x800;
    private static final int ETH_P_ALL_BIG_ENDIAN = 0x0300;
    private static final int MSG_TRUNC = 0x20;
    private static final int SOL_SOCKET = 1;
    private static final int SO_RCVBUFFORCE = 33;
    private static final int SNAP_BYTES = 2048;

    private final Descriptor descriptor;
    private final Memory memory = new Memory(SNAP_BYTES);

    public PacketSocket(String interfaceName) throws OsException {
        int index = LIBC.if_nametoindex(interfaceName);
        if (index == 0) {
            throw new OsException("if_nametoindex(" + interfaceName + ")", OsException.ENODEV);
        }
        descriptor = new Descriptor(check(LIBC.socket(AF_PACKET, SOCK_RAW_CLOEXEC_NONBLOCK, 0), "socket(AF_PACKET)"));
        try {
            LIBC.setsockopt(descriptor.fd(), SOL_SOCKET, SO_RCVBUFFORCE, Memory.ofInt(16 << 20).pointer, 4);
            // struct sockaddr_ll: family, protocol, ifindex; binding starts the capture.
            Memory address = new Memory(20);
            address.buffer
                    .putShort(0, (short) AF_PACKET)
                    .putShort(2, (short) ETH_P_ALL_BIG_ENDIAN)
                    .putInt(4, index);
            check(LIBC.bind(descriptor.fd(), address.pointer, 20), "bind(AF_PACKET, %s)", interfaceName);
        } catch (OsException e) {
            descriptor.close();
            throw e;
        }
    }

    public int fd() {
        return descriptor.fd();
    }

    /** The next frame's first bytes, or null if none is there. */
    public byte[] poll() throws OsException {
        long bytes = LIBC.recv(descriptor.fd(), memory.pointer, SNAP_BYTES, MSG_TRUNC);
        if (bytes < 0 && Native.errno() == OsException.EAGAIN) {
            return null;
        }
        check(bytes, "recv(AF_PACKET)");
        byte[] frame = new byte[(int) Math.min(bytes, SNAP_BYTES)];
        memory.buffer.get(0, frame);
        return frame;
    }

    @Override
    public void close() {
        descriptor.close();
    }
}
