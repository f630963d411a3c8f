package org.xfrmbridge.daemon.route;

import java.nio.ByteBuffer;
import java.util.Set;
import org.xfrmbridge.netlink.nl.Attributes;

/**
 * An interface as the kernel describes it.
 *
 * @param mac in the low 48 bits, big endian; 0 for interfaces that have none
 * @param master index of the bridge, bond or VRF it belongs to, 0 if none
 * @param kind of virtual interface, "veth" for example; null for a physical one
 * @param hardwareType ARPHRD_ number; {@link #ETHERNET} is what can be bridged
 * @param addressGeneration how IPv6 addresses are made (IN6_ADDR_GEN_MODE_), -1 if the kernel has no IPv6
 */
public record Link(
        int index,
        String name,
        long mac,
        int mtuBytes,
        int flags,
        int master,
        String kind,
        int hardwareType,
        int addressGeneration) {
    public static final int ETHERNET = 1;
    public static final int UP = 0x1;
    public static final int LOOPBACK = 0x8;

    /** IFF_NOARP. */
    static final int NO_ARP = 0x80;

    /** IN6_ADDR_GEN_MODE_NONE: no IPv6 address unless somebody adds it. */
    public static final int NO_GENERATED_ADDRESS = 1;

    private static final String VRF = "vrf";

    private static final Set<String> PLAIN_KINDS = Set.of(
            "bond",
            "bridge",
            "dummy",
            "hsr",
            "ifb",
            "ipvlan",
            "ipvtap",
            "macsec",
            "macvlan",
            "macvtap",
            "netdevsim",
            "team",
            "tun",
            "veth",
            "virt_wifi",
            "vlan",
            VRF);

    static final int IFLA_ADDRESS = 1;
    static final int IFLA_IFNAME = 3;
    static final int IFLA_MTU = 4;
    static final int IFLA_LINK = 5;
    static final int IFLA_MASTER = 10;
    static final int IFLA_TXQLEN = 13;
    static final int IFLA_LINKINFO = 18;
    static final int IFLA_AF_SPEC = 26;
    static final int IFLA_LINK_NETNSID = 37;
    static final int IFLA_GSO_MAX_SEGS = 40;
    static final int IFLA_GSO_MAX_SIZE = 41;
    static final int IFLA_GSO_IPV4_MAX_SIZE = 63;
    static final int IFLA_INFO_KIND = 1;
    static final int IFLA_INFO_DATA = 2;
    static final int IFLA_INET6_ADDR_GEN_MODE = 8;
    static final int AF_INET6 = 10;

    /** @param message of type RTM_NEWLINK or RTM_DELLINK */
    public static Link of(RouteMessage message) {
        Attributes attributes = message.attributes();
        ByteBuffer generation = attributes
                .nested(IFLA_AF_SPEC, AF_INET6)
                .nested(AF_INET6, IFLA_INET6_ADDR_GEN_MODE)
                .get(IFLA_INET6_ADDR_GEN_MODE);
        return new Link(
                message.headerInt(4),
                attributes.getString(IFLA_IFNAME),
                macOf(attributes.getBytes(IFLA_ADDRESS)),
                attributes.getInt(IFLA_MTU, 0),
                message.headerInt(8),
                attributes.getInt(IFLA_MASTER, 0),
                attributes.nested(IFLA_LINKINFO, IFLA_INFO_DATA).getString(IFLA_INFO_KIND),
                message.bytes().getShort(2) & 0xffff,
                generation == null ? -1 : generation.get(0));
    }

    public boolean isEthernet() {
        return hardwareType == ETHERNET && !isLoopback();
    }

    public boolean isLoopback() {
        return (flags & LOOPBACK) != 0;
    }

    /** Whether it may put packets into others, which the host then sends: whatever is not known not to. */
    public boolean mayTunnel() {
        return kind != null && !PLAIN_KINDS.contains(kind);
    }

    /** Whether it is a Linux bridge. */
    public boolean isBridge() {
        return "bridge".equals(kind);
    }

    /** Whether it is the device of a VRF, whose members have routes of their own. */
    public boolean isVrf() {
        return VRF.equals(kind);
    }

    /** Whether nobody is asked for link addresses there. */
    public boolean isWithoutArp() {
        return (flags & NO_ARP) != 0;
    }

    public boolean hasIpv6() {
        return addressGeneration >= 0;
    }

    /** Whether packets may leave the host by it. */
    public boolean leadsOut() {
        return isUp() && !isLoopback();
    }

    public boolean isUp() {
        return (flags & UP) != 0;
    }

    /** A MAC address of six bytes as a number; 0 for anything else. */
    public static long macOf(byte[] bytes) {
        if (bytes == null || bytes.length != 6) {
            return 0;
        }
        long mac = 0;
        for (byte part : bytes) {
            mac = mac << 8 | part & 0xff;
        }
        return mac;
    }

    public static byte[] bytesOf(long mac) {
        byte[] bytes = new byte[6];
        for (int i = 0; i < bytes.length; i++) {
            bytes[i] = (byte) (mac >>> 8 * (5 - i));
        }
        return bytes;
    }
}
