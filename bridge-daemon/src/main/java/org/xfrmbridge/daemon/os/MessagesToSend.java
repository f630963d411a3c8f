package org.xfrmbridge.daemon.os;

import static org.xfrmbridge.daemon.os.Native.LIBC;

import java.nio.ByteBuffer;

/**
 * Messages that go out of an {@link IpSocket} by one call, sendmmsg(2). Each is put together by {@link #begin}, what it
 * has besides, its content, and {@link #end}; before that it is not there. One thread.
 */
public final class MessagesToSend {
    private static final int MOST = 64;
    private static final int DATA_BYTES = 4 * 65_536;
    /** Packet information of IPv6 and four numbers. */
    private static final int CONTROL_BYTES = 40 + 4 * 24;

    /**
     * How often a full socket is waited for in one call, and how long: about what a queue of a device takes to drain.
     */
    private static final int MOST_WAITS = 4;

    private static final int WAIT_MS = 1;
    private static final int MAC_BYTES = 6;

    private final MessageVector vector = new MessageVector(MOST, DATA_BYTES, CONTROL_BYTES);
    private final ByteBuffer memory = vector.memory.buffer;
    private final PollSet room = new PollSet();
    private IpSocket socket;
    private int count;
    private int dataEnd;
    private int partAt;
    private int partBytes;
    private int controlEnd;
    private boolean refusesTrains;

    /**
     * Begins a message by a raw socket to an address. What is there for another socket, or leaves no room, is sent.
     *
     * @param bytes of content, at most
     */
    public void begin(IpSocket by, int bytes, byte[] data, int destinationAt) {
        begin(by, bytes);
        boolean ipv4 = by.addressBytes() == MessageVector.SOCKADDR_IN_BYTES;
        int at = vector.addressAt(count) + (ipv4 ? MessageVector.IPV4_ADDRESS : MessageVector.IPV6_ADDRESS);
        memory.put(at, data, destinationAt, ipv4 ? 4 : 16);
    }

    /** The same by a UDP socket, to the port that stands at an index. */
    public void beginUdp(IpSocket by, int bytes, byte[] data, int destinationAt, int portAt) {
        begin(by, bytes, data, destinationAt);
        memory.put(vector.addressAt(count) + MessageVector.PORT, data, portAt, 2);
    }

    /**
     * The same by a socket that knows no routes.
     *
     * @param etherType of the packet
     * @param mac of who is to have it, in the low 48 bits
     */
    public void beginLink(IpSocket by, int bytes, int etherType, int ifindex, long mac) {
        begin(by, bytes);
        int at = vector.addressAt(count);
        memory.put(at + MessageVector.LINK_PROTOCOL, (byte) (etherType >>> 8))
                .put(at + MessageVector.LINK_PROTOCOL + 1, (byte) etherType)
                .putInt(at + MessageVector.LINK_INDEX, ifindex)
                .put(at + MessageVector.LINK_ADDRESS_BYTES, (byte) MAC_BYTES);
        for (int i = 0; i < MAC_BYTES; i++) {
            memory.put(at + MessageVector.LINK_ADDRESS + i, (byte) (mac >>> 8 * (MAC_BYTES - 1 - i)));
        }
    }

    /** The same by a socket of frames: the content has its link header. */
    public void beginFrame(IpSocket by, int bytes, int ifindex) {
        begin(by, bytes);
        memory.putInt(vector.addressAt(count) + MessageVector.LINK_INDEX, ifindex);
    }

    private void begin(IpSocket by, int bytes) {
        if (by != socket || count == MOST || dataEnd + bytes > DATA_BYTES) {
            flush();
            socket = by;
        }
        partAt = dataEnd;
        partBytes = 0;
        controlEnd = vector.controlAt(count);
        int at = vector.addressAt(count);
        memory.putLong(at, 0).putShort(at, (short) by.family());
    }

    public void mark(int mark) {
        memory.putInt(control(IpSocket.SOL_SOCKET, IpSocket.SO_MARK, 4), mark);
    }

    /** IPv4: the source address, for routing rules that look at it, and the interface to leave by, 0 for any. */
    public void ipv4Source(byte[] data, int sourceAt, int ifindex) {
        int at = control(IpSocket.SOL_IP, IpSocket.IP_PKTINFO, 12);
        memory.putInt(at, ifindex).put(at + 4, data, sourceAt, 4).putInt(at + 8, 0);
    }

    /** IPv6: the same. */
    public void ipv6Source(byte[] data, int sourceAt, int ifindex) {
        int at = control(IpSocket.SOL_IPV6, IpSocket.IPV6_PKTINFO, 20);
        memory.put(at, data, sourceAt, 16).putInt(at + 16, ifindex);
    }

    /** UDP over IPv4: what is in the header that the socket writes. Its TOS is 0. */
    public void ipv4Header(int ttl) {
        memory.putInt(control(IpSocket.SOL_IP, IpSocket.IP_TTL, 4), ttl);
    }

    /** UDP over IPv6: the same. The flow label is the kernel's. */
    public void ipv6Header(int trafficClass, int hopLimit) {
        memory.putInt(control(IpSocket.SOL_IPV6, IpSocket.IPV6_TCLASS, 4), trafficClass);
        memory.putInt(control(IpSocket.SOL_IPV6, IpSocket.IPV6_HOPLIMIT, 4), hopLimit);
    }

    /** UDP: the message is a train of datagrams of this size, the last may be shorter. */
    public void segments(int bytes) {
        memory.putShort(control(IpSocket.SOL_UDP, IpSocket.UDP_SEGMENT, 2), (short) bytes);
    }

    private int control(int level, int type, int bytes) {
        int at = controlEnd;
        memory.putLong(at, MessageVector.CMSG_BYTES + bytes)
                .putInt(at + MessageVector.CMSG_LEVEL, level)
                .putInt(at + MessageVector.CMSG_TYPE, type);
        controlEnd += MessageVector.CMSG_BYTES + ((bytes + 7) & -8);
        return at + MessageVector.CMSG_BYTES;
    }

    /** More of the message's content. */
    public void append(byte[] data, int at, int bytes) {
        vector.data.buffer.put(partAt + partBytes, data, at, bytes);
        partBytes += bytes;
    }

    public void end() {
        vector.setPart(count, partAt, partBytes);
        vector.setLengths(count, socket.addressBytes(), controlEnd - vector.controlAt(count));
        dataEnd = partAt + partBytes;
        count++;
    }

    /** Whether a device was met that cannot send a train: none should be given from then on. */
    public boolean refusesTrains() {
        return refusesTrains;
    }

    /**
     * Sends what is there. A message that is refused (no way there, forbidden, too long) is dropped, and costs no
     * other; what a socket has no room for, not even a little later, is dropped.
     */
    public void flush() {
        int waits = 0;
        for (int done = 0; done < count; ) {
            int sent = LIBC.sendmmsg(socket.fd(), vector.header(done), count - done, 0);
            if (sent > 0) {
                done += sent;
                continue;
            }
            int errno = Native.errno();
            refusesTrains |= errno == OsException.EIO;
            if (errno != OsException.EAGAIN) {
                done += errno == OsException.EINTR ? 0 : 1;
            } else if (waits++ == MOST_WAITS) {
                break;
            } else {
                awaitRoom();
            }
        }
        count = 0;
        dataEnd = 0;
    }

    private void awaitRoom() {
        room.clear();
        room.add(socket.fd(), PollSet.WRITE);
        room.await(WAIT_MS);
    }
}
