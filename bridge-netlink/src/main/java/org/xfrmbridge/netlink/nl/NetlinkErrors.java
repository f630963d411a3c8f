package org.xfrmbridge.netlink.nl;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.xfrmbridge.km.Errno;

/**
 * Writes the answers that are netlink's own: NLMSG_ERROR, which acknowledges (errno 0) or refuses, and NLMSG_DONE,
 * which ends a dump ({@code struct nlmsgerr}, {@code netlink_ack}).
 */
public final class NetlinkErrors {
    /** Bytes of {@code struct nlmsgerr} with an embedded header alone. */
    public static final int BYTES = 4 + NetlinkHeader.BYTES;

    // enum nlmsgerr_attrs
    public static final int ATTR_MESSAGE = 1;
    public static final int ATTR_OFFSET = 2;
    public static final int ATTR_COOKIE = 3;
    public static final int ATTR_POLICY = 4;
    public static final int ATTR_MISSING_TYPE = 5;
    public static final int ATTR_MISSING_NEST = 6;

    // enum netlink_policy_type_attr, within ATTR_POLICY
    private static final int POLICY_TYPE = 1;
    private static final int POLICY_MIN = 4;
    private static final int POLICY_MAX = 5;

    private NetlinkErrors() {}

    /** Socket options that shape the answer, as the client set them. */
    public record Options(boolean capAck, boolean extAck) {
        /** How a socket begins. */
        public static final Options NONE = new Options(false, false);
    }

    /**
     * Why a request is refused, or, with errno 0, what there is to remark on it.
     *
     * @param message for a person, or null
     * @param offsetBytes of the attribute at fault from the start of the message, negative for none
     * @param missingType an attribute that should have been there, 0 for none
     * @param expectation what the attribute at fault should have been, or null
     */
    public record Fault(
            int errno, String message, int offsetBytes, int missingType, AttributePolicy.Expectation expectation) {
        /** Nothing wrong: a plain acknowledgement. */
        public static final Fault NONE = new Fault(0, null, NetlinkException.NO_OFFSET, 0, null);

        /** Nothing wrong but for what the message says, which may be null. */
        public static Fault remark(String message) {
            return message == null ? NONE : new Fault(0, message, NetlinkException.NO_OFFSET, 0, null);
        }

        /** A refusal that no single attribute is at fault for. */
        public static Fault of(Errno errno, String message) {
            return new Fault(errno.number(), message, NetlinkException.NO_OFFSET, 0, null);
        }

        public static Fault of(NetlinkException refusal) {
            return new Fault(
                    refusal.errno().number(), refusal.getMessage(), refusal.offsetBytes(), 0, refusal.expectation());
        }
    }

    /**
     * Writes NLMSG_ERROR with errno 0: a message was carried out, and there is nothing to remark on it.
     *
     * @param request the message that the reader is at
     * @param portId of the client
     */
    public static void acknowledge(NetlinkWriter out, NetlinkReader request, int portId) {
        out.begin(NetlinkHeader.ERROR, NetlinkHeader.CAPPED, request.sequence(), portId);
        out.room(4).putInt(0);
        request.copy(out, NetlinkHeader.BYTES);
        out.end();
    }

    /**
     * Writes NLMSG_ERROR with all there is to say of a message. A refusal repeats the whole request unless the client
     * set NETLINK_CAP_ACK; the attributes are there only if it set NETLINK_EXT_ACK.
     *
     * @param request the message that the reader is at
     * @param portId of the client
     */
    public static void write(NetlinkWriter out, NetlinkReader request, int portId, Fault fault, Options options) {
        boolean capped = fault.errno() == 0 || options.capAck();
        boolean extended = options.extAck() && hasAttributes(fault);
        int flags = (capped ? NetlinkHeader.CAPPED : 0) | (extended ? NetlinkHeader.ACK_TLVS : 0);
        out.begin(NetlinkHeader.ERROR, flags, request.sequence(), portId);
        out.room(4).putInt(-fault.errno());
        request.copy(out, capped ? NetlinkHeader.BYTES : request.lengthBytes());
        if (extended) {
            writeAttributes(out, fault);
        }
        out.end();
    }

    /**
     * Writes the refusal of a message of which only the header can be believed to be there.
     *
     * @param start of the message, from the buffer's position on: a header at least
     * @param portId of the client
     */
    public static void refuse(NetlinkWriter out, ByteBuffer start, int portId, Errno errno) {
        ByteBuffer header = start.duplicate().order(ByteOrder.nativeOrder());
        out.begin(NetlinkHeader.ERROR, NetlinkHeader.CAPPED, NetlinkHeader.sequence(header, header.position()), portId);
        out.room(4).putInt(-errno.number());
        out.putBytes(header, header.position(), NetlinkHeader.BYTES);
        out.end();
    }

    private static boolean hasAttributes(Fault fault) {
        return fault.message() != null || fault.errno() != 0 && (fault.offsetBytes() >= 0 || fault.missingType() != 0);
    }

    private static void writeAttributes(NetlinkWriter out, Fault fault) {
        if (fault.message() != null) {
            out.putString(ATTR_MESSAGE, fault.message());
        }
        // A remark on a request that succeeded has a text only.
        if (fault.errno() != 0 && fault.offsetBytes() >= 0) {
            out.putInt(ATTR_OFFSET, fault.offsetBytes());
        }
        if (fault.errno() != 0 && fault.expectation() != null) {
            writeExpectation(out, fault.expectation());
        }
        if (fault.errno() != 0 && fault.missingType() != 0) {
            out.putInt(ATTR_MISSING_TYPE, fault.missingType());
        }
    }

    /** {@code netlink_policy_dump_write_attr}. */
    private static void writeExpectation(NetlinkWriter out, AttributePolicy.Expectation expectation) {
        int nest = out.beginAttribute(Attributes.NESTED | ATTR_POLICY);
        if (expectation.type() != AttributePolicy.Expectation.FLAG) {
            out.putLong(POLICY_MIN, expectation.min());
            out.putLong(POLICY_MAX, expectation.max());
        }
        out.putInt(POLICY_TYPE, expectation.type());
        out.endAttribute(nest);
    }

    /** Writes NLMSG_DONE, the last message of a dump; a fault says why it ended early. */
    public static void writeDone(NetlinkWriter out, int sequence, int portId, Fault fault, Options options) {
        boolean extended = options.extAck() && hasAttributes(fault);
        int flags = NetlinkHeader.MULTI | (extended ? NetlinkHeader.ACK_TLVS : 0);
        out.begin(NetlinkHeader.DONE, flags, sequence, portId);
        out.room(4).putInt(-fault.errno());
        if (extended) {
            writeAttributes(out, fault);
        }
        out.end();
    }

    /**
     * The errno in an NLMSG_ERROR or NLMSG_DONE that a client received: 0 is success.
     *
     * @param payload of the message
     */
    public static int errno(ByteBuffer payload) {
        return payload.limit() >= 4 ? -payload.getInt(0) : 0;
    }

    /**
     * The words in an NLMSG_ERROR that a client with NETLINK_EXT_ACK received; null if there are none.
     *
     * @param error at the message
     */
    public static String message(NetlinkReader error) {
        if (!error.has(NetlinkHeader.ACK_TLVS)) {
            return null;
        }
        ByteBuffer payload = error.payload();
        int requestBytes = error.has(NetlinkHeader.CAPPED) ? NetlinkHeader.BYTES : payload.getInt(4);
        return Attributes.parse(payload, NetlinkHeader.align(4 + requestBytes), ATTR_MISSING_NEST)
                .getString(ATTR_MESSAGE);
    }
}
