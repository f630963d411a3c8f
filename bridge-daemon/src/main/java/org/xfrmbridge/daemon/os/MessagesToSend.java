package org.xfrmbridge.daemon.os;

import static org.xfrmbridge.daemon.os.Native.LIBC;

import java.nio.ByteBuffer;

/**
 * Messages that go out of an {@link IpSocket} by one call, sendmmsg(2). Each is put together by {@link #begin}, what it
 * has besides, and {@link #end}; before that it is not there. One thread.
 */
public final class MessagesToSend {
    private static final int MOST = 64;
    private static final int DATA_BYTES = 4 * 65_536;
    /** Mark, and packet information of IPv6. */
    private static final int CONTROL_BYTES = 24 + 40;

    /**
     * How often a full socket is waited for in one call, and how long: about what a queue of a device takes to drain.
     */
    private static final int MOST_WAITS = 4;

    private static final int WAIT_MS = 1;

    private final MessageVector vector = new MessageVector(MOST, DATA_BYTES, CONTROL_BYTES);
    private final ByteBuffer memory = vector.memory.buffer;
    private final PollSet room = new PollSet();
    private IpSocket socket;
    private int count;
    private int dataEnd;
    private int partAt;
    private int controlEnd;

    /** Begins a message by a socket to an address. What is there for another socket, or leaves no room, is sent. */
    public void begin(IpSocket by, int bytes, byte[] data, int destinationAt) {
        if (by != socket || count == MOST || dataEnd + bytes > DATA_BYTES) {
            flush();
            socket = by;
        }
        partAt = dataEnd;
        controlEnd = vector.controlAt(count);
        int addressBytes = by.addressBytes();
        int at = vector.addressAt(count);
        memory.putLong(at, 0).putShort(at, (short) by.family());
        boolean ipv4 = addressBytes == MessageVector.SOCKADDR_IN_BYTES;
        memory.put(
                at + (ipv4 ? MessageVector.IPV4_ADDRESS : MessageVector.IPV6_ADDRESS),
                data,
                destinationAt,
                ipv4 ? 4 : 16);
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

    private int control(int level, int type, int bytes) {
        int at = controlEnd;
        memory.putLong(at, MessageVector.CMSG_BYTES + bytes)
                .putInt(at + MessageVector.CMSG_LEVEL, level)
                .putInt(at + MessageVector.CMSG_TYPE, type);
        controlEnd += MessageVector.CMSG_BYTES + ((bytes + 7) & -8);
        return at + MessageVector.CMSG_BYTES;
    }

    /** Ends the message, whose content is this. */
    public void end(byte[] data, int at, int bytes) {
        vector.data.buffer.put(partAt, data, at, bytes);
        vector.setPart(count, partAt, bytes);
        vector.setLengths(count, socket.addressBytes(), controlEnd - vector.controlAt(count));
        dataEnd = partAt + bytes;
        count++;
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
