package org.xfrmbridge.net;

/**
 * The authentication header (RFC 4302): {@code | next header 1 | length 1 | reserved 2 | SPI 4 | sequence 4 | ICV |
 * padding |}.
 */
public final class Ah {
    public static final int NEXT_HEADER = 0;
    /** Length of the whole header in units of four bytes, two less. */
    public static final int LENGTH = 1;

    public static final int RESERVED = 2;
    public static final int SPI = 4;
    public static final int SEQUENCE = 8;
    public static final int ICV = 12;
    /** All before the ICV. */
    public static final int FIXED_BYTES = 12;

    private Ah() {}

    /** Length of the header that stands there, ICV and padding included. */
    public static int headerBytes(byte[] data, int at) {
        return Bytes.u8(data, at + LENGTH) + 2 << 2;
    }
}
