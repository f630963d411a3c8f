package org.xfrmbridge.net;

/** The header of a compressed payload (RFC 3173): {@code | next header 1 | flags 1 | CPI 2 |}. */
public final class IpComp {
    public static final int NEXT_HEADER = 0;
    public static final int FLAGS = 1;
    /** Compression parameter index: the Spi of its SA. */
    public static final int CPI = 2;

    public static final int HEADER_BYTES = 4;

    private IpComp() {}
}
