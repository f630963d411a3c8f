package org.xfrmbridge.net;

import org.xfrmbridge.xfrm.IpProtocol;

/**
 * The IPv6 header and its extension headers (RFC 8200). Offsets are from the first byte of the header they belong to.
 */
public final class Ipv6 {
    public static final int PAYLOAD_LENGTH = 4;
    public static final int NEXT_HEADER = 6;
    public static final int HOP_LIMIT = 7;
    public static final int SOURCE = 8;
    public static final int DESTINATION = 24;
    public static final int HEADER_BYTES = 40;
    public static final int ADDRESS_BYTES = 16;
    /** The header and what its length field can say; jumbograms (RFC 2675) are not for us. */
    public static final int MAX_PACKET_BYTES = HEADER_BYTES + 65535;
    /** Every link takes that much (RFC 8200 section 5). */
    public static final int MIN_MTU_BYTES = 1280;

    public static final int FLOW_LABEL_MASK = 0xfffff;

    /** Extension headers: next header first, then the length in units of eight bytes, itself not counted. */
    public static final int EXTENSION_LENGTH = 1;

    public static final int MIN_EXTENSION_BYTES = 8;

    /**
     * The fragment header: offset in its upper 13 bits, then two reserved, then the More flag; then the identification.
     */
    public static final int FRAGMENT_OFFSET_FLAGS = 2;

    public static final int FRAGMENT_ID = 4;
    public static final int FRAGMENT_HEADER_BYTES = 8;
    public static final int FRAGMENT_MORE = 1;

    private Ipv6() {}

    /** Length of the packet: header and payload. */
    public static int totalLength(byte[] data, int offset) {
        return HEADER_BYTES + Bytes.u16(data, offset + PAYLOAD_LENGTH);
    }

    public static void putTotalLength(byte[] data, int offset, int totalBytes) {
        Bytes.putU16(data, offset + PAYLOAD_LENGTH, totalBytes - HEADER_BYTES);
    }

    /** Traffic class: DSCP and ECN, as the TOS byte of IPv4. */
    public static int trafficClass(byte[] data, int offset) {
        return Bytes.u16(data, offset) >>> 4 & 0xff;
    }

    public static void putTrafficClass(byte[] data, int offset, int trafficClass) {
        Bytes.putU16(data, offset, Bytes.u16(data, offset) & 0xf00f | trafficClass << 4);
    }

    public static int flowLabel(byte[] data, int offset) {
        return Bytes.i32(data, offset) & FLOW_LABEL_MASK;
    }

    /** Length of a hop-by-hop, routing or destination options header. */
    public static int extensionBytes(byte[] data, int extension) {
        return Bytes.u8(data, extension + EXTENSION_LENGTH) + 1 << 3;
    }

    /**
     * Whether another header may follow in the chain that is ours to walk; the kernel's decode_session6 walks the same
     * four.
     */
    public static boolean isExtension(int protocol) {
        return protocol == IpProtocol.ANY
                || protocol == IpProtocol.ROUTING
                || protocol == IpProtocol.DSTOPTS
                || protocol == IpProtocol.FRAGMENT;
    }
}
