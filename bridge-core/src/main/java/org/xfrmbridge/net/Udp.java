package org.xfrmbridge.net;

/** The UDP header (RFC 768), and where TCP keeps its checksum. Offsets are from the first byte. */
public final class Udp {
    public static final int SOURCE_PORT = 0;
    public static final int DESTINATION_PORT = 2;
    public static final int LENGTH = 4;
    public static final int CHECKSUM = 6;
    public static final int HEADER_BYTES = 8;

    public static final int TCP_CHECKSUM = 16;

    private Udp() {}

    /**
     * A checksum as it is sent: zero would say that there is none; the other zero of ones' complement means the same
     * number.
     */
    public static int present(int checksum) {
        return checksum == 0 ? 0xffff : checksum;
    }
}
