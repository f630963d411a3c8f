package org.xfrmbridge.netlink.nl;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;

/**
 * The attributes behind a message's fixed part, {@code struct nlattr}, found by type; of two with one type the last
 * counts. Parsing is as lenient as a kernel's {@code nla_parse_deprecated}: unknown types are skipped, a last attribute
 * may lack its padding, and what cannot be an attribute ends the list ({@link #leftoverBytes}). Holds views of the
 * message, which must not change meanwhile. One thread.
 */
public final class Attributes {
    public static final int HEADER_BYTES = 4;

    /** Set in an attribute's type by clients that say it holds attributes. */
    public static final int NESTED = 0x8000;

    private static final int TYPE_MASK = 0x3fff;
    private static final int ABSENT = -1;

    private final ByteBuffer message;
    private ByteBuffer view;
    private int start;
    private int maxType;
    private int endOffset;
    private int leftoverBytes;

    /** Bit n: there is an attribute of type n. A message has few, and is asked for many that it has not. */
    private long present;

    /** None yet; the message is in native order. */
    Attributes(ByteBuffer message) {
        this.message = message;
    }

    /** Parses all of {@code payload} from {@code offset}; checks nothing but bounds. */
    public static Attributes parse(ByteBuffer payload, int offset, int maxType) {
        Attributes attributes = new Attributes(inNativeOrder(payload));
        attributes.begin(NetlinkHeader.align(offset), maxType);
        for (int at = attributes.start; at != ABSENT; ) {
            at = attributes.take(at);
        }
        return attributes;
    }

    /**
     * Parses and checks each attribute on the way, in the order of the message.
     *
     * @param payload of a message, without its header
     * @throws NetlinkException with an offset from the start of the message
     */
    public static Attributes parse(ByteBuffer payload, int offset, AttributePolicy policy) throws NetlinkException {
        Attributes attributes = new Attributes(inNativeOrder(payload));
        attributes.parse(NetlinkHeader.align(offset), -NetlinkHeader.BYTES, policy);
        return attributes;
    }

    private static ByteBuffer inNativeOrder(ByteBuffer payload) {
        return payload.order() == ByteOrder.nativeOrder()
                ? payload
                : payload.duplicate().order(ByteOrder.nativeOrder());
    }

    /**
     * In place of what was there, those from a place in the buffer to its limit, each checked on the way.
     *
     * @param messageOffset where the header is, or would be: offsets in refusals count from there
     */
    void parse(int from, int messageOffset, AttributePolicy policy) throws NetlinkException {
        begin(from, policy.maxType());
        for (int at = start; at != ABSENT; ) {
            int next = take(at);
            if (next != ABSENT) {
                policy.check(this, at, at - messageOffset);
            }
            at = next;
        }
    }

    private void begin(int from, int newMaxType) {
        start = Math.min(from, message.limit());
        maxType = newMaxType;
        leftoverBytes = 0;
        present = 0;
    }

    /** Notes the attribute at an offset and returns where the next one would be, or ABSENT if this is none. */
    private int take(int at) {
        endOffset = at;
        int leftBytes = message.limit() - at;
        if (leftBytes < HEADER_BYTES) {
            leftoverBytes = Math.max(leftBytes, 0);
            return ABSENT;
        }
        int lengthBytes = Short.toUnsignedInt(message.getShort(at));
        if (lengthBytes < HEADER_BYTES || lengthBytes > leftBytes) {
            leftoverBytes = leftBytes;
            return ABSENT;
        }
        int type = typeAt(at);
        if (type <= maxType) {
            present |= 1L << type;
        }
        return at + NetlinkHeader.align(lengthBytes);
    }

    int typeAt(int at) {
        return message.getShort(at + 2) & TYPE_MASK;
    }

    boolean isNestedAt(int at) {
        return (message.getShort(at + 2) & NESTED) != 0;
    }

    int payloadBytesAt(int at) {
        return Short.toUnsignedInt(message.getShort(at)) - HEADER_BYTES;
    }

    ByteBuffer payloadAt(int at) {
        return message.slice(at + HEADER_BYTES, payloadBytesAt(at)).order(ByteOrder.nativeOrder());
    }

    /** Bytes at the end that are no attribute, 0 normally. */
    public int leftoverBytes() {
        return leftoverBytes;
    }

    public boolean has(int type) {
        // Types beyond 63 share bits: of those only absence is certain.
        return (present >>> type & 1) != 0 && (maxType < Long.SIZE || find(type) != ABSENT);
    }

    private int offset(int type) {
        return has(type) ? find(type) : ABSENT;
    }

    private int find(int type) {
        int found = ABSENT;
        for (int at = start; at < endOffset; at += NetlinkHeader.align(Short.toUnsignedInt(message.getShort(at)))) {
            if (typeAt(at) == type) {
                found = at;
            }
        }
        return found;
    }

    /** The payload, a view in native order with position 0, or null. */
    public ByteBuffer get(int type) {
        int at = offset(type);
        return at != ABSENT ? payloadAt(at) : null;
    }

    /** The same from position to limit of one view for all of them: good until the next call of this. */
    public ByteBuffer look(int type) {
        int at = offset(type);
        if (at == ABSENT) {
            return null;
        }
        if (view == null) {
            view = message.duplicate().order(ByteOrder.nativeOrder());
        }
        return view.limit(at + HEADER_BYTES + payloadBytesAt(at)).position(at + HEADER_BYTES);
    }

    /** The first four bytes of the payload, or {@code absent} if there is none, or it is shorter. */
    public int getInt(int type, int absent) {
        int at = offset(type);
        return at != ABSENT && payloadBytesAt(at) >= Integer.BYTES ? message.getInt(at + HEADER_BYTES) : absent;
    }

    /** The first byte of the payload, unsigned, or {@code absent} if there is none. */
    public int getByte(int type, int absent) {
        int at = offset(type);
        return at != ABSENT && payloadBytesAt(at) >= 1 ? Byte.toUnsignedInt(message.get(at + HEADER_BYTES)) : absent;
    }

    /** A copy of the payload, or null. */
    public byte[] getBytes(int type) {
        ByteBuffer payload = get(type);
        if (payload == null) {
            return null;
        }
        byte[] bytes = new byte[payload.limit()];
        payload.get(0, bytes);
        return bytes;
    }

    /** The text up to a zero byte or the end, or null. */
    public String getString(int type) {
        byte[] bytes = getBytes(type);
        if (bytes == null) {
            return null;
        }
        int length = 0;
        while (length < bytes.length && bytes[length] != 0) {
            length++;
        }
        return new String(bytes, 0, length, StandardCharsets.UTF_8);
    }

    /** The attributes within an attribute; none if it is absent. */
    public Attributes nested(int type, int maxType) {
        ByteBuffer payload = get(type);
        return parse(payload == null ? ByteBuffer.allocate(0) : payload, 0, maxType);
    }

    /** Where an attribute begins, counted from the first one; negative if it is absent. */
    public int offsetOf(int type) {
        int at = offset(type);
        return at != ABSENT ? at - start : ABSENT;
    }
}
