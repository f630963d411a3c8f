package org.xfrmbridge.net;

/**
 * What the datapath sends and understands of ICMP (RFC 792, RFC 1191) and ICMPv6 (RFC 4443). Offsets are from the first
 * byte.
 */
public final class Icmp {
    public static final int TYPE = 0;
    public static final int CHECKSUM = 2;
    /** Next-hop MTU of {@link #FRAGMENTATION_NEEDED}: 16 bits. */
    public static final int MTU_V4 = 6;
    /** MTU of {@link #V6_PACKET_TOO_BIG}: 32 bits. */
    public static final int MTU_V6 = 4;

    public static final int HEADER_BYTES = 8;

    public static final int ECHO_REPLY = 0;
    public static final int ECHO = 8;
    public static final int DESTINATION_UNREACHABLE = 3;
    public static final int TIME_EXCEEDED = 11;
    public static final int FRAGMENTATION_NEEDED = 4;
    public static final int V6_DESTINATION_UNREACHABLE = 1;
    public static final int V6_PACKET_TOO_BIG = 2;
    public static final int V6_TIME_EXCEEDED = 3;
    /** ICMPv6 types from here on are no errors. */
    public static final int V6_FIRST_INFORMATIONAL = 128;

    // Neighbour discovery, RFC 4861 4.3, 4.4 and 4.6.1.
    public static final int V6_ECHO = 128;
    public static final int V6_ECHO_REPLY = 129;
    public static final int V6_NEIGHBOUR_SOLICITATION = 135;
    public static final int V6_NEIGHBOUR_ADVERTISEMENT = 136;
    public static final int NEIGHBOUR_TARGET = 8;
    public static final int NEIGHBOUR_BYTES = 24;
    public static final int SOLICITED = 0x4000_0000;
    public static final int OVERRIDE = 0x2000_0000;
    public static final int TARGET_LINK_ADDRESS = 2;
    public static final int LINK_OPTION_BYTES = 8;

    private Icmp() {}

    /** Whether a type is an error message, to which none may be the answer (RFC 1122 3.2.2). */
    public static boolean isError(int type) {
        return type == DESTINATION_UNREACHABLE || type == 4 || type == 5 || type == TIME_EXCEEDED || type == 12;
    }

    /** Whether a type tells what became of a packet on its way. */
    public static boolean isFate(int type) {
        return type == DESTINATION_UNREACHABLE || type == TIME_EXCEEDED;
    }

    public static boolean isFateV6(int type) {
        return type == V6_DESTINATION_UNREACHABLE || type == V6_PACKET_TOO_BIG || type == V6_TIME_EXCEEDED;
    }

    public static boolean isErrorV6(int type) {
        return type < V6_FIRST_INFORMATIONAL;
    }
}
