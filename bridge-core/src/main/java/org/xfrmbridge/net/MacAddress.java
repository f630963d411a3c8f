package org.xfrmbridge.net;

/** Ethernet addresses as longs: the low 48 bits, first byte on the wire highest. Zero stands for "not known". */
public final class MacAddress {
    public static final int BYTES = 6;
    public static final long BROADCAST = 0xffff_ffff_ffffL;

    private MacAddress() {}

    public static long read(byte[] data, int offset) {
        return (long) Bytes.u16(data, offset) << 32 | Bytes.i32(data, offset + 2) & 0xffff_ffffL;
    }

    public static void write(byte[] data, int offset, long mac) {
        Bytes.putU16(data, offset, (int) (mac >>> 32));
        Bytes.putI32(data, offset + 2, (int) mac);
    }

    /** Parses six hexadecimal bytes between colons. */
    public static long parse(String text) {
        String[] parts = text.split(":");
        if (parts.length != BYTES) {
            throw new IllegalArgumentException("not a MAC address: " + text);
        }
        long mac = 0;
        for (String part : parts) {
            mac = mac << 8 | Integer.parseInt(part, 16) & 0xff;
        }
        return mac;
    }

    public static String toText(long mac) {
        StringBuilder text = new StringBuilder();
        for (int shift = 40; shift >= 0; shift -= 8) {
            text.append(shift == 40 ? "" : ":").append("%02x".formatted(mac >>> shift & 0xff));
        }
        return text.toString();
    }
}
