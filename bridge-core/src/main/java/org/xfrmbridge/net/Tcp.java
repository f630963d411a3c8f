package org.xfrmbridge.net;

/** The TCP header (RFC 9293). Offsets are from its first byte. */
public final class Tcp {
    public static final int SEQUENCE = 4;
    public static final int ACKNOWLEDGEMENT = 8;
    public static final int DATA_OFFSET = 12;
    public static final int FLAGS = 13;
    public static final int WINDOW = 14;
    public static final int CHECKSUM = 16;
    public static final int HEADER_BYTES = 20;
    public static final int MAX_HEADER_BYTES = 60;
    public static final int PROTOCOL = 6;

    public static final int FIN = 0x01;
    public static final int SYN = 0x02;
    public static final int PSH = 0x08;
    public static final int ACK = 0x10;
    public static final int CWR = 0x80;

    public static final int OPTION_END = 0;
    public static final int OPTION_NOP = 1;
    public static final int OPTION_MSS = 2;
    /** Kind, length, and the number of 16 bits. */
    public static final int OPTION_MSS_BYTES = 4;
    /** Linux sends no less: {@code TCP_MIN_SND_MSS}. */
    public static final int LEAST_MSS = 48;

    private Tcp() {}

    public static int headerBytes(byte[] data, int offset) {
        return (data[offset + DATA_OFFSET] & 0xf0) >>> 2;
    }
}
