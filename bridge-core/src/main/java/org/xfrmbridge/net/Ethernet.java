package org.xfrmbridge.net;

/** The Ethernet II header, with any IEEE 802.1Q and 802.1ad tags. Offsets are from its first byte. */
public final class Ethernet {
    public static final int DESTINATION = 0;
    public static final int SOURCE = 6;
    public static final int TYPE = 12;
    public static final int HEADER_BYTES = 14;
    public static final int TAG_BYTES = 4;
    /** The longest header that is looked through: two tags. */
    public static final int MAX_HEADER_BYTES = HEADER_BYTES + 2 * TAG_BYTES;

    public static final int TYPE_IPV4 = 0x0800;
    public static final int TYPE_ARP = 0x0806;
    public static final int TYPE_IPV6 = 0x86dd;
    public static final int TYPE_VLAN = 0x8100;
    public static final int TYPE_PROVIDER_VLAN = 0x88a8;

    private Ethernet() {}

    /** Length of the header, tags included, of a frame that is at least {@link #HEADER_BYTES} long; may exceed the frame. */
    public static int headerBytes(byte[] data, int offset, int frameBytes) {
        int bytes = HEADER_BYTES;
        while (bytes < MAX_HEADER_BYTES && bytes + TAG_BYTES <= frameBytes && isTag(Bytes.u16(data, offset + bytes - 2))) {
            bytes += TAG_BYTES;
        }
        return bytes;
    }

    /** What the frame carries, behind its tags. */
    public static int type(byte[] data, int offset, int headerBytes) {
        return Bytes.u16(data, offset + headerBytes - 2);
    }

    public static void putType(byte[] data, int offset, int headerBytes, int type) {
        Bytes.putU16(data, offset + headerBytes - 2, type);
    }

    private static boolean isTag(int type) {
        return type == TYPE_VLAN || type == TYPE_PROVIDER_VLAN;
    }
}
