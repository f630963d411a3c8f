package org.xfrmbridge.daemon.os;

import static org.xfrmbridge.daemon.os.Native.FAST;

import java.nio.ByteBuffer;

/**
 * What came to an {@link IpSocket} by one call, recvmmsg(2), with what the kernel knows besides. {@link #read} one
 * message, then ask for its parts. Numbers of the kernel are in host order, addresses as on the wire. One thread.
 */
public final class ReceivedMessages {
    public static final int MOST = 64;

    /** A full packet; not a power of two, or the beginnings of all messages would want the same lines of the cache. */
    private static final int MESSAGE_BYTES = 65_536 + 40 + 152;

    private static final int CONTROL_BYTES = 256;
    private static final int MSG_TRUNC = 0x20;
    private static final int MSG_CTRUNC = 0x8;

    private final MessageVector vector = new MessageVector(MOST, MOST * MESSAGE_BYTES, CONTROL_BYTES);
    private final ByteBuffer control = vector.memory.buffer;

    private int slot;
    private int mark;
    private int ifindex;
    private int destinationAt;
    private int tos;
    private int hopLimit;
    private int flowInfo;
    private int segmentBytes;

    public ReceivedMessages() {
        for (int i = 0; i < MOST; i++) {
            vector.setPart(i, i * MESSAGE_BYTES, MESSAGE_BYTES);
        }
    }

    /** Takes what is there, up to {@link #MOST}, without waiting; a number below 1 if there is nothing. */
    public int receive(IpSocket socket) {
        for (int i = 0; i < MOST; i++) {
            vector.empty(i);
        }
        return FAST.recvmmsg(socket.fd(), vector.header(0), MOST, 0, 0);
    }

    /** Looks at one of them; false if it is not whole. */
    public boolean read(int message) {
        slot = message;
        mark = 0;
        ifindex = 0;
        destinationAt = 0;
        tos = 0;
        hopLimit = 0;
        flowInfo = 0;
        segmentBytes = 0;
        int end = vector.controlEnd(slot);
        for (int at = vector.controlAt(slot); at + MessageVector.CMSG_BYTES <= end; ) {
            int bytes = Math.clamp(control.getLong(at), MessageVector.CMSG_BYTES, end - at);
            take(
                    control.getInt(at + MessageVector.CMSG_LEVEL),
                    control.getInt(at + MessageVector.CMSG_TYPE),
                    at + MessageVector.CMSG_BYTES,
                    bytes - MessageVector.CMSG_BYTES);
            at += (bytes + 7) & -8;
        }
        return (vector.flags(slot) & (MSG_TRUNC | MSG_CTRUNC)) == 0;
    }

    private void take(int level, int type, int at, int bytes) {
        switch (level) {
            case IpSocket.SOL_SOCKET -> mark = type == IpSocket.SO_MARK && bytes >= 4 ? control.getInt(at) : mark;
            case IpSocket.SOL_IP -> takeIpv4(type, at, bytes);
            case IpSocket.SOL_IPV6 -> takeIpv6(type, at, bytes);
            case IpSocket.SOL_UDP ->
                segmentBytes = type == IpSocket.UDP_GRO && bytes >= 4 ? control.getInt(at) : segmentBytes;
            default -> {}
        }
    }

    private void takeIpv4(int type, int at, int bytes) {
        if (type == IpSocket.IP_PKTINFO && bytes >= 12) {
            ifindex = control.getInt(at);
            destinationAt = at + 8;
        } else if (type == IpSocket.IP_TOS && bytes >= 1) {
            tos = control.get(at) & 0xff;
        } else if (type == IpSocket.IP_TTL && bytes >= 4) {
            hopLimit = control.getInt(at) & 0xff;
        }
    }

    private void takeIpv6(int type, int at, int bytes) {
        if (type == IpSocket.IPV6_PKTINFO && bytes >= 20) {
            destinationAt = at;
            ifindex = control.getInt(at + 16);
        } else if (type == IpSocket.IPV6_HOPLIMIT && bytes >= 4) {
            hopLimit = control.getInt(at) & 0xff;
        } else if (type == IpSocket.IPV6_FLOWINFO && bytes >= 4) {
            flowInfo = Integer.reverseBytes(control.getInt(at));
        }
    }

    /** Length of the message: of a raw IPv4 socket a packet, else what is behind the IP or UDP header. */
    public int bytes() {
        return vector.length(slot);
    }

    public void copy(int from, byte[] into, int at, int bytes) {
        vector.data.buffer.get(slot * MESSAGE_BYTES + from, into, at, bytes);
    }

    /** Copies the sender's address. */
    public void copySource(byte[] into, int at, int addressBytes) {
        int from = addressBytes == 4 ? MessageVector.IPV4_ADDRESS : MessageVector.IPV6_ADDRESS;
        control.get(vector.addressAt(slot) + from, into, at, addressBytes);
    }

    /** UDP: copies the sender's port. */
    public void copySourcePort(byte[] into, int at) {
        control.get(vector.addressAt(slot) + MessageVector.PORT, into, at, 2);
    }

    /** Whether the kernel said to which address the packet came, and of what interface. */
    public boolean hasDestination() {
        return destinationAt != 0;
    }

    /** Copies the address that the packet came to. */
    public void copyDestination(byte[] into, int at, int addressBytes) {
        control.get(destinationAt, into, at, addressBytes);
    }

    public int mark() {
        return mark;
    }

    public int ifindex() {
        return ifindex;
    }

    /** IPv4: the TOS byte, ECN included. */
    public int tos() {
        return tos;
    }

    public int hopLimit() {
        return hopLimit;
    }

    /** IPv6: traffic class and flow label, as they stand behind the version. */
    public int flowInfo() {
        return flowInfo & 0x0fff_ffff;
    }

    /** UDP: the message is a train of datagrams of this size, the last may be shorter; 0 if it is one. */
    public int segmentBytes() {
        return segmentBytes;
    }
}
