package org.xfrmbridge.daemon.route;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import org.xfrmbridge.netlink.nl.Attributes;
import org.xfrmbridge.netlink.nl.NetlinkWriter;
import org.xfrmbridge.xfrm.Address;

/** {@code struct rtmsg} and its attributes: family, prefix lengths, tos, table, protocol, scope, type, flags. */
public record Route(RouteMessage message) {
    // Types, rtm_type
    public static final int UNICAST = 1;
    public static final int LOCAL = 2;
    public static final int BROADCAST = 3;
    public static final int ANYCAST = 4;
    public static final int MULTICAST = 5;

    private static final int AF_INET = 2;
    private static final int KERNEL_PROTOCOL = 2;
    private static final int ROUTER_PROTOCOL = 9;
    private static final int DHCP_PROTOCOL = 16;
    private static final int LOCAL_TABLE = 255;
    private static final int KEPT_FLAGS = 0x4; // RTNH_F_ONLINK
    private static final int RTA_DST = 1;
    private static final int RTA_OIF = 4;
    private static final int RTA_GATEWAY = 5;
    private static final int RTA_PREFSRC = 7;
    private static final int RTA_METRICS = 8;
    private static final int RTA_MULTIPATH = 9;
    private static final int RTA_CACHEINFO = 12;
    private static final int RTA_TABLE = 15;
    private static final int RTA_VIA = 18;
    private static final int RTA_NEWDST = 19;
    private static final int RTA_ENCAP = 22;
    private static final int RTA_EXPIRES = 23;
    private static final int RTAX_MTU = 2;
    private static final int CACHE_EXPIRES = 8;
    private static final int RTM_F_CLONED = 0x200;
    private static final int USER_HZ = 100;
    private static final int NEXT_HOP_BYTES = 8;

    public int type() {
        return message.headerByte(7);
    }

    public int prefixBits() {
        return message.headerByte(1);
    }

    public int table() {
        return message.attributes().getInt(RTA_TABLE, message.headerByte(4));
    }

    public Address destination() {
        return Addresses.of(message.attributes().getBytes(RTA_DST));
    }

    /** The next hop, or null if the destination itself is on the link. An IPv4 route may have an IPv6 one. */
    public Gateway gateway() {
        return gateway(message.attributes());
    }

    private Gateway gateway(Attributes attributes) {
        if (attributes.has(RTA_GATEWAY)) {
            return new Gateway(message.family(), Addresses.of(attributes.getBytes(RTA_GATEWAY)));
        }
        ByteBuffer via = attributes.get(RTA_VIA);
        if (via == null || via.limit() < 2) {
            return null;
        }
        byte[] address = new byte[via.limit() - 2];
        via.get(2, address);
        return new Gateway(via.getShort(0), Addresses.of(address));
    }

    /** All next hops of a route, the several of a multipath route, too. */
    public List<Gateway> gateways() {
        List<Gateway> gateways = new ArrayList<>();
        Gateway only = gateway();
        if (only != null) {
            gateways.add(only);
        }
        ByteBuffer hops = message.attributes().get(RTA_MULTIPATH);
        if (hops != null) {
            for (int at : nextHopOffsets(hops)) {
                int end = Math.min(at + Short.toUnsignedInt(hops.getShort(at)), hops.limit());
                ByteBuffer hop = hops.duplicate().order(hops.order()).limit(end);
                Gateway one = gateway(Attributes.parse(hop, at + NEXT_HOP_BYTES, RTA_VIA));
                if (one != null) {
                    gateways.add(one);
                }
            }
        }
        return gateways;
    }

    /** A next hop. @param family of its address, which need not be the route's */
    public record Gateway(int family, Address address) {}

    public Address preferredSource() {
        byte[] source = message.attributes().getBytes(RTA_PREFSRC);
        return source == null ? null : Addresses.of(source);
    }

    public int outputIndex() {
        return message.attributes().getInt(RTA_OIF, 0);
    }

    /**
     * The MTU that the route was given, 0 if none. Not what the host has learnt of one destination: it learns that from
     * the answers to packets too big for a tunnel, too, and the MTU of what goes through the tunnel says nothing of the
     * way around it.
     */
    public int mtuBytes() {
        return isException()
                ? 0
                : message.attributes().nested(RTA_METRICS, RTAX_MTU).getInt(RTAX_MTU, 0);
    }

    /** An entry for one destination that ends by itself; of IPv6, routes that a router announced end, too. */
    private boolean isException() {
        ByteBuffer cacheInfo = message.attributes().get(RTA_CACHEINFO);
        boolean ends = cacheInfo != null && cacheInfo.getInt(cacheInfo.position() + CACHE_EXPIRES) != 0;
        return ends && (message.headerInt(8) & RTM_F_CLONED) != 0;
    }

    /** Whether what takes it leaves by its interface as it is, and to one host. */
    public boolean isPlain() {
        return type() == UNICAST
                && outputIndex() != 0
                && !message.attributes().has(RTA_ENCAP)
                && !message.attributes().has(RTA_NEWDST)
                && !message.attributes().has(RTA_MULTIPATH);
    }

    boolean hasGateway() {
        return message.attributes().has(RTA_GATEWAY)
                || message.attributes().has(RTA_VIA)
                || message.attributes().has(RTA_MULTIPATH);
    }

    /** Entries of the local table that come and go with an address or with the interface. */
    boolean isMadeByKernel() {
        return table() == LOCAL_TABLE && message.headerByte(5) == KERNEL_PROTOCOL;
    }

    /**
     * Whether it came with an address: from the kernel, or from who configures addresses as routers and DHCP servers
     * say.
     */
    public boolean isOfAddress() {
        return switch (message.headerByte(5)) {
            case KERNEL_PROTOCOL, ROUTER_PROTOCOL, DHCP_PROTOCOL -> true;
            default -> false;
        };
    }

    /** Whether the interface is its output, or one of several. */
    public boolean uses(int index) {
        if (outputIndex() == index) {
            return true;
        }
        ByteBuffer hops = message.attributes().get(RTA_MULTIPATH);
        return hops != null && nextHopOffsets(hops).stream().anyMatch(at -> hops.getInt(at + 4) == index);
    }

    /** {@code struct rtnexthop}: length, flags, hops, index. */
    private static List<Integer> nextHopOffsets(ByteBuffer hops) {
        List<Integer> offsets = new ArrayList<>();
        int at = 0;
        while (hops.limit() - at >= NEXT_HOP_BYTES) {
            int lengthBytes = Short.toUnsignedInt(hops.getShort(at));
            if (lengthBytes < NEXT_HOP_BYTES) {
                break;
            }
            offsets.add(at);
            at += (lengthBytes + 3) & -4;
        }
        return offsets;
    }

    /** The same route through another interface, without what only a kernel may say of it. */
    public RouteMessage movedTo(int from, int to) {
        NetlinkWriter out = new NetlinkWriter();
        int flags = message.headerInt(8) & KEPT_FLAGS;
        out.room(12).put(message.payload(), 0, 8).putInt(flags);
        for (AttributeView attribute : AttributeView.of(message)) {
            switch (attribute.type() & 0x3fff) {
                case RTA_OIF -> out.putInt(RTA_OIF, outputIndex() == from ? to : outputIndex());
                case RTA_MULTIPATH -> out.putBytes(attribute.type(), movedHops(attribute.bytes(), from, to));
                case RTA_CACHEINFO -> writeExpiry(out, attribute.bytes());
                default -> out.putBytes(attribute.type(), attribute.bytes());
            }
        }
        return new RouteMessage(message.type(), out.toBytes());
    }

    private static byte[] movedHops(byte[] bytes, int from, int to) {
        ByteBuffer hops = ByteBuffer.wrap(bytes).order(ByteOrder.nativeOrder());
        for (int at : nextHopOffsets(hops)) {
            hops.put(at + 2, (byte) (hops.get(at + 2) & KEPT_FLAGS));
            if (hops.getInt(at + 4) == from) {
                hops.putInt(at + 4, to);
            }
        }
        return bytes;
    }

    /**
     * {@code struct rta_cacheinfo} is the kernel's to write; what lives on of it is the time an IPv6 route has left.
     */
    private void writeExpiry(NetlinkWriter out, byte[] cacheInfo) {
        int expiresTicks =
                ByteBuffer.wrap(cacheInfo).order(ByteOrder.nativeOrder()).getInt(CACHE_EXPIRES);
        if (message.family() != AF_INET && expiresTicks > 0) {
            out.putInt(RTA_EXPIRES, expiresTicks / USER_HZ);
        }
    }
}
