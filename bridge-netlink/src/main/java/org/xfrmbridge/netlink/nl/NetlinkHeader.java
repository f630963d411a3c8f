package org.xfrmbridge.netlink.nl;

import java.nio.ByteBuffer;

/**
 * {@code struct nlmsghdr}. All numbers in the order of the buffer they are read from, which has to be the native one.
 *
 * @param lengthBytes of the message with this header, unsigned
 * @param type of the protocol, or below {@link #FIRST_PROTOCOL_TYPE} one of netlink itself
 */
public record NetlinkHeader(int lengthBytes, int type, int flags, int sequence, int portId) {
    public static final int BYTES = 16;

    /** Messages, and the attributes in them, begin at multiples of this. */
    public static final int ALIGNMENT = 4;

    // nlmsg_type
    public static final int NOOP = 1;
    public static final int ERROR = 2;
    public static final int DONE = 3;
    public static final int OVERRUN = 4;
    public static final int FIRST_PROTOCOL_TYPE = 0x10;

    // nlmsg_flags of all messages
    public static final int REQUEST = 0x01;
    public static final int MULTI = 0x02;
    public static final int ACK = 0x04;
    public static final int ECHO = 0x08;
    public static final int DUMP_INTERRUPTED = 0x10;
    public static final int DUMP_FILTERED = 0x20;

    // of requests that read
    public static final int ROOT = 0x100;
    public static final int MATCH = 0x200;
    public static final int DUMP = ROOT | MATCH;

    // of requests that write
    public static final int REPLACE = 0x100;
    public static final int EXCLUSIVE = 0x200;
    public static final int CREATE = 0x400;
    public static final int APPEND = 0x800;

    // of NLMSG_ERROR
    public static final int CAPPED = 0x100;
    public static final int ACK_TLVS = 0x200;

    /** Reads 16 bytes at {@code offset}; the buffer's position stays. */
    public static NetlinkHeader read(ByteBuffer buffer, int offset) {
        return new NetlinkHeader(
                buffer.getInt(offset),
                type(buffer, offset),
                flags(buffer, offset),
                sequence(buffer, offset),
                portId(buffer, offset));
    }

    static int type(ByteBuffer buffer, int offset) {
        return Short.toUnsignedInt(buffer.getShort(offset + 4));
    }

    static int flags(ByteBuffer buffer, int offset) {
        return Short.toUnsignedInt(buffer.getShort(offset + 6));
    }

    static int sequence(ByteBuffer buffer, int offset) {
        return buffer.getInt(offset + 8);
    }

    static int portId(ByteBuffer buffer, int offset) {
        return buffer.getInt(offset + 12);
    }

    public boolean has(int flag) {
        return (flags & flag) != 0;
    }

    /** Rounds a length up to where the next message or attribute begins. */
    public static int align(int lengthBytes) {
        return (lengthBytes + ALIGNMENT - 1) & -ALIGNMENT;
    }
}
