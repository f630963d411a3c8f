package org.xfrmbridge.net;

/**
 * The Ethernet header: IEEE 802.1Q and 802.1ad tags, EtherTypes, and what IEEE 802.2 has instead of them. Offsets are
 * from its first byte.
 */
public final class Ethernet {
    public static final int DESTINATION = 0;
    public static final int SOURCE = 6;
    public static final int TYPE = 12;
    public static final int HEADER_BYTES = 14;
    public static final int TAG_BYTES = 4;
    /**
     * How many tags are looked through. Linux takes away any number of priority tags; frames with more than these have
     * a tag as their type.
     */
    public static final int MAX_TAGS = 8;

    public static final int MAX_HEADER_BYTES = HEADER_BYTES + MAX_TAGS * TAG_BYTES;

    public static final int TYPE_IPV4 = 0x0800;
    public static final int TYPE_ARP = 0x0806;
    public static final int TYPE_IPV6 = 0x86dd;
    public static final int TYPE_VLAN = 0x8100;
    public static final int TYPE_PROVIDER_VLAN = 0x88a8;

    /** Smaller values are lengths, of IEEE 802.2 frames. */
    private static final int FIRST_TYPE = 0x0600;

    private static final int LLC_SNAP = 0xaaaa;
    private static final int LLC_SPANNING_TREE = 0x4242;
    private static final int LLC_NETBIOS = 0xf0f0;
    private static final int LLC_OSI = 0xfefe;
    private static final int LLC_IPX = 0xffff;
    private static final int LLC_IPX_TOO = 0xe0e0;
    private static final int UNNUMBERED_INFORMATION = 3;
    private static final int FIRST_ROUTING_NLPID = 0x81;
    private static final int LAST_ROUTING_NLPID = 0x83;
    private static final int OUI_ETHERTYPE = 0;
    private static final int OUI_BRIDGE_TUNNEL = 0x0000f8;
    private static final int OUI_BRIDGED = 0x0080c2;
    private static final int SNAP_BYTES = 8;

    private Ethernet() {}

    /**
     * Length of the header, tags included, of a frame that is at least {@link #HEADER_BYTES} long; may exceed the
     * frame.
     */
    public static int headerBytes(byte[] data, int offset, int frameBytes) {
        int bytes = HEADER_BYTES;
        while (bytes < MAX_HEADER_BYTES
                && bytes + TAG_BYTES <= frameBytes
                && isTag(Bytes.u16(data, offset + bytes - 2))) {
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

    /**
     * Whether a frame that is no IP by its type may still bring IP to somebody, inside of something else. Of EtherTypes
     * those that are known to carry packets or whole frames do; of IEEE 802.2, where anybody may agree with anybody,
     * all but what is known to be something else.
     */
    public static boolean mayCarryIp(byte[] data, int offset, int headerBytes, int frameBytes) {
        int type = type(data, offset, headerBytes);
        return type >= FIRST_TYPE
                ? isCarrier(type)
                : mayLlcCarryIp(data, offset + headerBytes, frameBytes - headerBytes);
    }

    /** EtherTypes (IANA, IEEE) whose payload is, or may be, a packet or a frame. */
    private static boolean isCarrier(int type) {
        return switch (type) {
            case TYPE_IPV4, TYPE_IPV6 -> true;
            // tags: more than are looked through or cut short, those from before 802.1ad, VN-Tag, E-Tag, Cisco's
            case TYPE_VLAN, TYPE_PROVIDER_VLAN, 0x9100, 0x9200, 0x9300, 0x8926, 0x893f, 0x8909 -> true;
            // MPLS, PPP, PPPoE sessions, NSH, compressed TCP/IP, 6LoWPAN, 802.15.4
            case 0x8847, 0x8848, 0x880b, 0x8864, 0x894f, 0x876b, 0xa0ed, 0x809a -> true;
            // frames in frames: transparent bridging, 802.1ah, TRILL, batman-adv, HSR, PRP, switches' own tags, MACsec,
            // jumbo LLC
            case 0x6558, 0x88e7, 0x22f3, 0x4305, 0x892f, 0x88fb, 0xdada, 0x88e5, 0x8870 -> true;
            default -> false;
        };
    }

    private static boolean mayLlcCarryIp(byte[] data, int llc, int bytes) {
        if (bytes < SNAP_BYTES) {
            // Too short for IP behind it.
            return false;
        }
        int control = Bytes.u8(data, llc + 2);
        return switch (Bytes.u16(data, llc)) {
            case LLC_SPANNING_TREE, LLC_NETBIOS, LLC_IPX, LLC_IPX_TOO -> false;
            case LLC_OSI -> control != UNNUMBERED_INFORMATION || !isOsiRouting(Bytes.u8(data, llc + 3));
            case LLC_SNAP -> control != UNNUMBERED_INFORMATION || maySnapCarryIp(data, llc);
            default -> true;
        };
    }

    /** CLNP, ES-IS, IS-IS. */
    private static boolean isOsiRouting(int nlpid) {
        return nlpid >= FIRST_ROUTING_NLPID && nlpid <= LAST_ROUTING_NLPID;
    }

    /** RFC 1042: an EtherType follows; those of other organisations are their own protocols, but for bridged frames. */
    private static boolean maySnapCarryIp(byte[] data, int llc) {
        int organisation = Bytes.i32(data, llc + 2) & 0xffffff;
        return switch (organisation) {
            case OUI_ETHERTYPE, OUI_BRIDGE_TUNNEL -> isCarrier(Bytes.u16(data, llc + 6));
            default -> organisation == OUI_BRIDGED;
        };
    }
}
