package org.xfrmbridge.net;

import org.xfrmbridge.io.PacketBuffer;

/** ARP for IPv4 over Ethernet (RFC 826). Offsets are from its first byte. */
public final class Arp {
    public static final int OPERATION = 6;
    public static final int SENDER_MAC = 8;
    public static final int SENDER_IP = 14;
    public static final int TARGET_MAC = 18;
    public static final int TARGET_IP = 24;
    public static final int BYTES = 28;

    public static final int REPLY = 2;

    /** Ethernet and IPv4, addresses of 6 and 4 bytes, request. */
    private static final long REQUEST_HEADER = 0x0001_0800_0604_0001L;

    private Arp() {}

    /** Whether an untagged frame is a request. */
    public static boolean isRequest(PacketBuffer frame) {
        return frame.length >= Ethernet.HEADER_BYTES + BYTES
                && Ethernet.type(frame.data, frame.offset, Ethernet.HEADER_BYTES) == Ethernet.TYPE_ARP
                && Bytes.i64(frame.data, frame.offset + Ethernet.HEADER_BYTES) == REQUEST_HEADER;
    }
}
