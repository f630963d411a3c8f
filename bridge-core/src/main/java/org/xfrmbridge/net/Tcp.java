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
    public static final int PSH = 0x08;
    public static final int ACK = 0x10;
    public static final int CWR = 0x80;

    private Tcp() {}

    public static int headerBytes(byte[] data, int offset) {
        return (data[offset + DATA_OFFSET] & 0xf0) >>> 2;
    }
}
