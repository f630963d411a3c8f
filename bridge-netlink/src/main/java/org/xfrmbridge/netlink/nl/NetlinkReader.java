package org.xfrmbridge.netlink.nl;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * Walks the messages of one datagram as a kernel does: it stops, without a word, where what is left is no message ({@code netlink_rcv_skb}).
 *
 * <pre>{@code
 * NetlinkReader reader = new NetlinkReader(datagram);
 * while (reader.next()) {
 *     handle(reader.header(), reader.payload());
 * }
 * }</pre>
 *
 * The buffer is read from its position to its limit, in native order, and is not changed. One thread.
 */
public final class NetlinkReader {
    private final ByteBuffer datagram;
    private final int end;
    private int nextOffset;
    private int offset;
    private NetlinkHeader header;

    public NetlinkReader(ByteBuffer datagram) {
        this.datagram = datagram.duplicate().order(ByteOrder.nativeOrder());
        this.nextOffset = datagram.position();
        this.end = datagram.limit();
    }

    /** Steps to the next message; false if there is none, or none whose length can be believed. */
    public boolean next() {
        int leftBytes = end - nextOffset;
        if (leftBytes < NetlinkHeader.BYTES) {
            return false;
        }
        NetlinkHeader candidate = NetlinkHeader.read(datagram, nextOffset);
        // Signed comparison: a length of 2^31 or more is negative here, and as wrong as one that is too small.
        if (candidate.lengthBytes() < NetlinkHeader.BYTES || candidate.lengthBytes() > leftBytes) {
            return false;
        }
        header = candidate;
        offset = nextOffset;
        // The last message of a datagram need not be padded.
        nextOffset += Math.min(leftBytes, NetlinkHeader.align(candidate.lengthBytes()));
        return true;
    }

    public NetlinkHeader header() {
        return header;
    }

    /** The message with its header; a view in native order, position 0. */
    public ByteBuffer message() {
        return datagram.slice(offset, header.lengthBytes()).order(ByteOrder.nativeOrder());
    }

    /** What follows the header; a view in native order, position 0. */
    public ByteBuffer payload() {
        return datagram.slice(offset + NetlinkHeader.BYTES, header.lengthBytes() - NetlinkHeader.BYTES)
                .order(ByteOrder.nativeOrder());
    }
}
