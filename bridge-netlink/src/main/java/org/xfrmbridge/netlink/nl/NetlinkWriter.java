package org.xfrmbridge.netlink.nl;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * Writes messages into one datagram, in native order: {@link #begin}, the fixed part, attributes, {@link #end}, and so
 * on. Grows as needed. Padding is always zero. One thread.
 *
 * <pre>{@code
 * byte[] datagram = new NetlinkWriter()
 *         .begin(RTM_GETLINK, NetlinkHeader.REQUEST | NetlinkHeader.DUMP, sequence, 0)
 *         .putZeros(IFINFOMSG_BYTES)
 *         .putInt(IFLA_EXT_MASK, 1)
 *         .end()
 *         .toBytes();
 * }</pre>
 */
public final class NetlinkWriter {
    private ByteBuffer buffer;
    private int messageOffset = -1;

    public NetlinkWriter() {
        this(512);
    }

    public NetlinkWriter(int initialBytes) {
        buffer = ByteBuffer.allocate(initialBytes).order(ByteOrder.nativeOrder());
    }

    /** Starts a message; its length is set by {@link #end}. */
    public NetlinkWriter begin(int type, int flags, int sequence, int portId) {
        messageOffset = buffer.position();
        room(NetlinkHeader.BYTES)
                .putInt(0)
                .putShort((short) type)
                .putShort((short) flags)
                .putInt(sequence)
                .putInt(portId);
        return this;
    }

    /** Ends the message: pads it and sets its length, which then includes the padding. */
    public NetlinkWriter end() {
        pad();
        buffer.putInt(messageOffset, buffer.position() - messageOffset);
        messageOffset = -1;
        return this;
    }

    /** Sets flags of the message being written that were not known when it began. */
    public NetlinkWriter addFlags(int flags) {
        int at = messageOffset + 6;
        buffer.putShort(at, (short) (buffer.getShort(at) | flags));
        return this;
    }

    /** Where a caller may write the next {@code bytes} bytes of a fixed part; it must write all of them. */
    public ByteBuffer room(int bytes) {
        if (buffer.remaining() < bytes) {
            int capacity = Math.max(buffer.capacity() * 2, buffer.position() + bytes);
            byte[] grown = Arrays.copyOf(buffer.array(), capacity);
            Arrays.fill(buffer.array(), (byte) 0);
            buffer = ByteBuffer.wrap(grown).order(ByteOrder.nativeOrder()).position(buffer.position());
        }
        return buffer;
    }

    public NetlinkWriter putBytes(byte[] bytes) {
        room(bytes.length).put(bytes);
        return this;
    }

    /** Bytes of a buffer from {@code offset} on, wherever its position is. */
    public NetlinkWriter putBytes(ByteBuffer source, int offset, int bytes) {
        ByteBuffer to = room(bytes);
        to.put(to.position(), source, offset, bytes).position(to.position() + bytes);
        return this;
    }

    public NetlinkWriter putZeros(int bytes) {
        room(bytes);
        for (int i = 0; i < bytes; i++) {
            buffer.put((byte) 0);
        }
        return this;
    }

    public NetlinkWriter putByte(int type, int value) {
        int mark = beginAttribute(type);
        room(1).put((byte) value);
        return endAttribute(mark);
    }

    public NetlinkWriter putShort(int type, int value) {
        int mark = beginAttribute(type);
        room(2).putShort((short) value);
        return endAttribute(mark);
    }

    public NetlinkWriter putInt(int type, int value) {
        int mark = beginAttribute(type);
        room(4).putInt(value);
        return endAttribute(mark);
    }

    public NetlinkWriter putLong(int type, long value) {
        int mark = beginAttribute(type);
        room(8).putLong(value);
        return endAttribute(mark);
    }

    /** A string with the zero byte that ends it. */
    public NetlinkWriter putString(int type, String text) {
        int mark = beginAttribute(type);
        putBytes(text.getBytes(StandardCharsets.UTF_8)).putZeros(1);
        return endAttribute(mark);
    }

    public NetlinkWriter putBytes(int type, byte[] payload) {
        int mark = beginAttribute(type);
        return putBytes(payload).endAttribute(mark);
    }

    /**
     * Starts an attribute whose payload the caller writes next, attributes within it included.
     *
     * @return what {@link #endAttribute} wants
     */
    public int beginAttribute(int type) {
        pad();
        int mark = buffer.position();
        room(Attributes.HEADER_BYTES).putShort((short) 0).putShort((short) type);
        return mark;
    }

    /** Sets the attribute's length, which leaves out the padding that follows. */
    public NetlinkWriter endAttribute(int mark) {
        buffer.putShort(mark, (short) (buffer.position() - mark));
        pad();
        return this;
    }

    /** Bytes written so far. */
    public int sizeBytes() {
        return buffer.position();
    }

    /** Takes back all that was written behind {@code sizeBytes}, and wipes it. */
    public void truncate(int sizeBytes) {
        Arrays.fill(buffer.array(), sizeBytes, buffer.position(), (byte) 0);
        buffer.position(sizeBytes);
        messageOffset = -1;
    }

    /** A view of what has been written, position 0 to limit; good until more is written. */
    public ByteBuffer written() {
        return ByteBuffer.wrap(buffer.array(), 0, buffer.position());
    }

    public byte[] toBytes() {
        return Arrays.copyOf(buffer.array(), buffer.position());
    }

    private void pad() {
        putZeros(NetlinkHeader.align(buffer.position()) - buffer.position());
    }
}
