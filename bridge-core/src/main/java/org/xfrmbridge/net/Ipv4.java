package org.xfrmbridge.net;

/**
 * The IPv4 header (RFC 791). Offsets are from its first byte; accessors trust that {@link IpPacket#parse} found it
 * whole.
 */
public final class Ipv4 {
    public static final int VERSION_IHL = 0;
    public static final int TOS = 1;
    public static final int TOTAL_LENGTH = 2;
    public static final int ID = 4;
    public static final int FRAGMENT = 6;
    public static final int TTL = 8;
    public static final int PROTOCOL = 9;
    public static final int CHECKSUM = 10;
    public static final int SOURCE = 12;
    public static final int DESTINATION = 16;
    public static final int HEADER_BYTES = 20;
    public static final int MAX_HEADER_BYTES = 60;
    public static final int ADDRESS_BYTES = 4;
    public static final int MAX_PACKET_BYTES = 65535;
    /** Every link takes that much (RFC 791 section 3.2). */
    public static final int MIN_MTU_BYTES = 68;

    /** Bits of the word at {@link #FRAGMENT}; its low 13 bits count units of eight bytes. */
    public static final int DONT_FRAGMENT = 0x4000;

    public static final int MORE_FRAGMENTS = 0x2000;
    public static final int FRAGMENT_OFFSET_MASK = 0x1fff;

    private Ipv4() {}

    public static int headerBytes(byte[] data, int offset) {
        return (data[offset] & 0x0f) << 2;
    }

    public static int totalLength(byte[] data, int offset) {
        return Bytes.u16(data, offset + TOTAL_LENGTH);
    }

    public static int protocol(byte[] data, int offset) {
        return Bytes.u8(data, offset + PROTOCOL);
    }

    public static boolean dontFragment(byte[] data, int offset) {
        return (Bytes.u16(data, offset + FRAGMENT) & DONT_FRAGMENT) != 0;
    }

    /** Whether it is a part of a datagram, the first or any other. */
    public static boolean isFragment(byte[] data, int offset) {
        return (Bytes.u16(data, offset + FRAGMENT) & (MORE_FRAGMENTS | FRAGMENT_OFFSET_MASK)) != 0;
    }

    /** Sets the total length and, after all else, the header checksum. */
    public static void finish(byte[] data, int offset, int totalBytes) {
        Bytes.putU16(data, offset + TOTAL_LENGTH, totalBytes);
        Bytes.putU16(data, offset + CHECKSUM, 0);
        int checksum = Checksum.finish(Checksum.add(0, data, offset, headerBytes(data, offset)));
        Bytes.putU16(data, offset + CHECKSUM, checksum);
    }

    /** Changes the TOS byte and corrects the checksum. */
    public static void putTos(byte[] data, int offset, int tos) {
        int oldWord = Bytes.u16(data, offset);
        int newWord = oldWord & 0xff00 | tos;
        int checksum = Checksum.update(Bytes.u16(data, offset + CHECKSUM), oldWord, newWord);
        Bytes.putU16(data, offset, newWord);
        Bytes.putU16(data, offset + CHECKSUM, checksum);
    }
}
