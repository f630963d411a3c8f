package org.xfrmbridge.netlink.nl;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * Walks the messages of one datagram as a kernel does: it stops, without a word, where what is left is no message
 * ({@code netlink_rcv_skb}).
 *
 * <pre>{@code
 * NetlinkReader reader = new NetlinkReader(datagram);
 * while (reader.next()) {
 *     handle(reader.header(), reader.payload());
 * }
 * }</pre>
 *
 * The buffer is read from its position to its limit, in native order, and is not changed. A server that takes a million
 * messages walks them without an object for each: {@link #body} and {@link #attributes} are the same ones every time.
 * One thread.
 */
public final class NetlinkReader {
    private final ByteBuffer datagram;
    private final Attributes attributes;
    private final int end;
    private int nextOffset;
    private int offset;
    private int lengthBytes;

    public NetlinkReader(ByteBuffer datagram) {
        this.datagram = datagram.duplicate().order(ByteOrder.nativeOrder());
        this.attributes = new Attributes(this.datagram);
        this.nextOffset = datagram.position();
        this.end = datagram.limit();
    }

    /** Steps to the next message; false if there is none, or none whose length can be believed. */
    public boolean next() {
        int leftBytes = end - nextOffset;
        if (leftBytes < NetlinkHeader.BYTES) {
            return false;
        }
        int candidateBytes = datagram.limit(end).getInt(nextOffset);
        // Signed comparison: a length of 2^31 or more is negative here, and as wrong as one that is too small.
        if (candidateBytes < NetlinkHeader.BYTES || candidateBytes > leftBytes) {
            return false;
        }
        lengthBytes = candidateBytes;
        offset = nextOffset;
        datagram.limit(offset + lengthBytes);
        // The last message of a datagram need not be padded.
        nextOffset += Math.min(leftBytes, NetlinkHeader.align(lengthBytes));
        return true;
    }

    /** Where the next message would begin: the end of the buffer if there is none. */
    public int nextOffset() {
        return nextOffset;
    }

    /** The header, for who keeps it; here are its fields, too. */
    public NetlinkHeader header() {
        return NetlinkHeader.read(datagram, offset);
    }

    /** With the header, without padding. */
    public int lengthBytes() {
        return lengthBytes;
    }

    public int type() {
        return NetlinkHeader.type(datagram, offset);
    }

    public boolean has(int flag) {
        return (NetlinkHeader.flags(datagram, offset) & flag) != 0;
    }

    public int sequence() {
        return NetlinkHeader.sequence(datagram, offset);
    }

    public int portId() {
        return NetlinkHeader.portId(datagram, offset);
    }

    public int payloadBytes() {
        return lengthBytes - NetlinkHeader.BYTES;
    }

    /** What follows the header; a view in native order, position 0. */
    public ByteBuffer payload() {
        return datagram.slice(offset + NetlinkHeader.BYTES, payloadBytes()).order(ByteOrder.nativeOrder());
    }

    /** The same from position to limit of the one view that this reader has: good until its next step. */
    public ByteBuffer body() {
        return datagram.position(offset + NetlinkHeader.BYTES);
    }

    /**
     * Finds and checks the attributes behind a fixed part.
     *
     * @throws NetlinkException with an offset from the start of the message
     */
    public void parseAttributes(int fixedBytes, AttributePolicy policy) throws NetlinkException {
        attributes.parse(offset + NetlinkHeader.BYTES + NetlinkHeader.align(fixedBytes), offset, policy);
    }

    /** Those that were found. Good until the next step. */
    public Attributes attributes() {
        return attributes;
    }

    /** Repeats the message, or as much of it, header first. */
    void copy(NetlinkWriter out, int bytes) {
        out.putBytes(datagram, offset, bytes);
    }
}
