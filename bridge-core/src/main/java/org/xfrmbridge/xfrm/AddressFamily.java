package org.xfrmbridge.xfrm;

/**
 * Address families as they stand in XFRM structures. They are plain numbers, not an enum, because a client may send any
 * and a kernel keeps what it was sent (linux/socket.h).
 */
public final class AddressFamily {
    public static final int UNSPEC = 0;
    public static final int INET = 2;
    public static final int INET6 = 10;

    private AddressFamily() {}

    /** Number of address bits: 32 for INET, 128 for all else. */
    public static int bits(int family) {
        return family == INET ? 32 : 128;
    }

    /** The family of an address in words, or of a prefix. */
    public static int ofText(String text) {
        return text.indexOf(':') < 0 ? INET : INET6;
    }

    public static boolean isIp(int family) {
        return family == INET || family == INET6;
    }

    /**
     * The family addresses are compared as: a kernel takes all that is not INET6 for INET ({@code xfrm_addr_equal}).
     */
    public static int orIpv4(int family) {
        return family == INET6 ? INET6 : INET;
    }
}
