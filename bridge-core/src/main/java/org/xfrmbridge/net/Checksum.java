package org.xfrmbridge.net;

/**
 * The Internet checksum (RFC 1071). Partial sums are longs of unfolded ones' complement words in network order;
 * {@link #finish} folds and complements one. Any thread.
 */
public final class Checksum {
    private static final long LOW = 0xffff_ffffL;

    private Checksum() {}

    /**
     * Adds bytes that start at an even distance from the start of what is summed up; an odd last byte counts as if a
     * zero followed.
     */
    public static long add(long sum, byte[] data, int offset, int bytes) {
        int at = offset;
        int end = offset + bytes;
        for (; end - at >= 8; at += 8) {
            long word = Bytes.i64(data, at);
            sum += (word >>> 32) + (word & LOW);
        }
        if (end - at >= 4) {
            sum += Bytes.i32(data, at) & LOW;
            at += 4;
        }
        if (end - at >= 2) {
            sum += Bytes.u16(data, at);
            at += 2;
        }
        return at < end ? sum + (Bytes.u8(data, at) << 8) : sum;
    }

    /** The 16 bits that go into the header, taken over a packet whose checksum field counted as zero. */
    public static int finish(long sum) {
        return ~fold(sum) & 0xffff;
    }

    /** Whether a sum over everything, checksum field included, says the bytes are intact. */
    public static boolean isIntact(long sum) {
        return fold(sum) == 0xffff;
    }

    /** The checksum after one 16-bit word changed (RFC 1624, equation 3). */
    public static int update(int checksum, int oldWord, int newWord) {
        return finish((~checksum & 0xffffL) + (~oldWord & 0xffff) + newWord);
    }

    /** Sum of the pseudo header of TCP, UDP and ICMPv6 over IPv4 (RFC 793) or IPv6 (RFC 8200 8.1). */
    public static long pseudoHeader(IpPacket packet, int protocol, int upperBytes) {
        long sum = packet.isIpv4()
                ? add(0, packet.data(), packet.offset + Ipv4.SOURCE, 2 * Ipv4.ADDRESS_BYTES)
                : add(0, packet.data(), packet.offset + Ipv6.SOURCE, 2 * Ipv6.ADDRESS_BYTES);
        return sum + protocol + upperBytes;
    }

    private static int fold(long sum) {
        long folded = (sum >>> 32) + (sum & LOW);
        folded = (folded >>> 32) + (folded & LOW);
        folded = (folded >>> 16) + (folded & 0xffff);
        folded = (folded >>> 16) + (folded & 0xffff);
        return (int) ((folded >>> 16) + (folded & 0xffff));
    }
}
