package org.xfrmbridge.datapath;

import org.xfrmbridge.io.HostNetwork;
import org.xfrmbridge.io.PacketBuffer;
import org.xfrmbridge.net.Arp;
import org.xfrmbridge.net.Bytes;
import org.xfrmbridge.net.Checksum;
import org.xfrmbridge.net.Ethernet;
import org.xfrmbridge.net.Icmp;
import org.xfrmbridge.net.IpPacket;
import org.xfrmbridge.net.Ipv6;
import org.xfrmbridge.net.MacAddress;
import org.xfrmbridge.xfrm.Address;
import org.xfrmbridge.xfrm.AddressFamily;
import org.xfrmbridge.xfrm.Direction;
import org.xfrmbridge.xfrm.Flow;
import org.xfrmbridge.xfrm.IpProtocol;
import org.xfrmbridge.xfrm.Policy;
import org.xfrmbridge.xfrm.PolicySpec;
import org.xfrmbridge.xfrm.Template;

/**
 * Answers the host for neighbours that are nobody. A route into a tunnel may have no gateway: strongSwan makes such
 * ones where the tunnel is of the other family. A kernel with XFRM never looks for the neighbour, as the tunnel's next
 * hop takes its place; the host before us does. Where policies send all that goes there through tunnels, the host is
 * told a link address of ours, which {@link Bundle} replaces, and the question, which names an inner address, does not
 * leave.
 *
 * <p>A neighbour that packets do reach is never answered for: a next hop of any route or of an outer packet, the end of
 * the tunnel itself. Where policies let something pass to it, from another of the host's addresses or of one protocol,
 * it may be there, unless only the route into the tunnel says that it is on the link: then the question leaves, and
 * only when it is asked again, as nobody has answered, the answer is ours. Outbound thread only.
 */
final class NeighbourProxy {
    private static final int HOP_LIMIT = 255;
    /** RFC 2464 7: the link address of a solicited-node group, less its last three bytes. */
    private static final long SOLICITED_NODES = 0x3333_ff00_0000L;
    /** The ten bits of fe80::/10. */
    private static final long LINK_LOCAL_PREFIX = 0xfe80 >>> 6;

    private final PathContext context;
    private final Flow flow = new Flow();
    private final NeighbourRetries retries = new NeighbourRetries();

    /** What the host's packets to a neighbour do, from whatever address of its own. */
    private enum Way {
        /** No policy leads them into a tunnel, or one that ends right there. */
        DIRECT,
        TUNNELS,
        /** Some of them. */
        TUNNELS_AND_DIRECT
    }

    NeighbourProxy(PathContext context) {
        this.context = context;
        flow.ifindex = context.ifindex();
    }

    /** Makes a frame that is an ARP request for such a neighbour the answer to it; else false, and it is to leave. */
    boolean answerArp(PacketBuffer frame) {
        byte[] data = frame.data;
        int arp = frame.offset + Ethernet.HEADER_BYTES;
        if (!Arp.isRequest(frame)) {
            return false;
        }
        int sender = Bytes.i32(data, arp + Arp.SENDER_IP);
        int target = Bytes.i32(data, arp + Arp.TARGET_IP);
        // Probes and announcements (RFC 5227) are about the host's own addresses.
        if (sender == 0 || sender == target || !isNobody(AddressFamily.INET, Address.ofIpv4(target))) {
            askEverybody(frame, MacAddress.BROADCAST);
            return false;
        }
        long host = MacAddress.read(data, arp + Arp.SENDER_MAC);
        Bytes.putU16(data, arp + Arp.OPERATION, Arp.REPLY);
        MacAddress.write(data, arp + Arp.SENDER_MAC, HostNetwork.TUNNEL_NEIGHBOUR_MAC);
        Bytes.putI32(data, arp + Arp.SENDER_IP, target);
        MacAddress.write(data, arp + Arp.TARGET_MAC, host);
        Bytes.putI32(data, arp + Arp.TARGET_IP, sender);
        writeLink(frame);
        return true;
    }

    /** The same for a neighbour solicitation (RFC 4861 4.3); the answer is an advertisement. */
    boolean answerSolicitation(IpPacket packet) {
        byte[] data = packet.data();
        int icmp = packet.payload;
        boolean asks = packet.protocol == IpProtocol.ICMPV6
                && packet.payloadBytes() >= Icmp.NEIGHBOUR_BYTES
                && Bytes.u8(data, icmp) == Icmp.V6_NEIGHBOUR_SOLICITATION;
        if (!asks) {
            return false;
        }
        Address source = address(data, packet.offset + Ipv6.SOURCE);
        Address target = address(data, icmp + Icmp.NEIGHBOUR_TARGET);
        PacketBuffer frame = packet.buffer;
        if (source.isAny(AddressFamily.INET6) || !isNobody(AddressFamily.INET6, target)) {
            askEverybody(frame, SOLICITED_NODES | target.low() & 0xff_ffff);
            return false;
        }
        int at = packet.offset;
        int icmpBytes = Icmp.NEIGHBOUR_BYTES + Icmp.LINK_OPTION_BYTES;
        frame.length = packet.linkBytes + Ipv6.HEADER_BYTES + icmpBytes;
        Bytes.putI32(data, at, 6 << 28);
        Ipv6.putTotalLength(data, at, Ipv6.HEADER_BYTES + icmpBytes);
        Bytes.putU16(data, at + Ipv6.NEXT_HEADER, IpProtocol.ICMPV6 << 8 | HOP_LIMIT);
        put(data, at + Ipv6.SOURCE, target);
        put(data, at + Ipv6.DESTINATION, source);
        writeAdvertisement(data, at + Ipv6.HEADER_BYTES, target);
        long sum = Checksum.add(0, data, at + Ipv6.SOURCE, 2 * Ipv6.ADDRESS_BYTES) + IpProtocol.ICMPV6 + icmpBytes;
        int checksum = Checksum.finish(Checksum.add(sum, data, at + Ipv6.HEADER_BYTES, icmpBytes));
        Bytes.putU16(data, at + Ipv6.HEADER_BYTES + Icmp.CHECKSUM, checksum);
        writeLink(frame);
        return true;
    }

    private static void writeAdvertisement(byte[] data, int icmp, Address target) {
        Bytes.putI32(data, icmp, Icmp.V6_NEIGHBOUR_ADVERTISEMENT << 24);
        Bytes.putI32(data, icmp + 4, Icmp.SOLICITED | Icmp.OVERRIDE);
        put(data, icmp + Icmp.NEIGHBOUR_TARGET, target);
        Bytes.putU16(data, icmp + Icmp.NEIGHBOUR_BYTES, Icmp.TARGET_LINK_ADDRESS << 8 | 1);
        MacAddress.write(data, icmp + Icmp.NEIGHBOUR_BYTES + 2, HostNetwork.TUNNEL_NEIGHBOUR_MAC);
    }

    private static void writeLink(PacketBuffer frame) {
        long host = MacAddress.read(frame.data, frame.offset + Ethernet.SOURCE);
        MacAddress.write(frame.data, frame.offset + Ethernet.DESTINATION, host);
        MacAddress.write(frame.data, frame.offset + Ethernet.SOURCE, HostNetwork.TUNNEL_NEIGHBOUR_MAC);
    }

    /** A host that was told our address once checks on the neighbour there, where nobody hears it. */
    private static void askEverybody(PacketBuffer frame, long group) {
        if (MacAddress.read(frame.data, frame.offset + Ethernet.DESTINATION) == HostNetwork.TUNNEL_NEIGHBOUR_MAC) {
            MacAddress.write(frame.data, frame.offset + Ethernet.DESTINATION, group);
        }
    }

    private boolean isNobody(int family, Address target) {
        if (context.spd().isEmpty(Direction.OUT)) {
            return false;
        }
        Way way = wayTo(family, target);
        if (way == Way.DIRECT || context.network().isNextHop(family, target)) {
            return false;
        }
        boolean certain = context.spd().isByAddressAlone(Direction.OUT)
                && (way == Way.TUNNELS || isRoutedIntoTunnel(family, target));
        return certain || retries.isRepeated(family, target, context.clock().nowNs());
    }

    /**
     * Whether nothing but a route says that it is on the link, and what the host sends by that route enters a tunnel.
     */
    private boolean isRoutedIntoTunnel(int family, Address target) {
        HostNetwork network = context.network();
        Address source = network.isOnSubnet(family, target) ? null : network.sourceFor(family, target);
        if (source == null) {
            return false;
        }
        Policy policy = policy(source);
        return policy != null && policy.spec().action() == PolicySpec.Action.ALLOW && tunnels(policy);
    }

    private Policy policy(Address source) {
        flow.saddrHigh = source.high();
        flow.saddrLow = source.low();
        return context.spd().lookup(PolicySpec.Type.MAIN, Direction.OUT, flow);
    }

    private Way wayTo(int family, Address target) {
        boolean tunnels = false;
        boolean passes = false;
        flow.lowerIfindex = context.network().attachedIndex();
        flow.family = family;
        flow.daddrHigh = target.high();
        flow.daddrLow = target.low();
        for (Address source : context.network().localAddresses(family)) {
            if (isOfOtherScope(family, source, target)) {
                continue;
            }
            Policy policy = policy(source);
            if (policy == null) {
                passes |= context.spd().defaultAction(Direction.OUT) == PolicySpec.Action.ALLOW;
            } else if (policy.spec().action() == PolicySpec.Action.ALLOW) {
                if (endsAt(policy, family, target)) {
                    return Way.DIRECT;
                }
                boolean tunnel = tunnels(policy);
                tunnels |= tunnel;
                passes |= !tunnel;
            }
        }
        if (!tunnels) {
            return Way.DIRECT;
        }
        return passes ? Way.TUNNELS_AND_DIRECT : Way.TUNNELS;
    }

    /** From link-local addresses of IPv6 nothing is sent to others, by default, nor to them from others (RFC 6724). */
    private static boolean isOfOtherScope(int family, Address source, Address target) {
        return family == AddressFamily.INET6 && isLinkLocal(source) != isLinkLocal(target);
    }

    private static boolean isLinkLocal(Address address) {
        return address.high() >>> 54 == LINK_LOCAL_PREFIX;
    }

    private static boolean endsAt(Policy policy, int family, Address target) {
        for (Template template : policy.spec().templates()) {
            boolean ends = template.family() == family && template.id().daddr().equalsAs(target, family);
            if (ends && template.mode().hasOuterHeader()) {
                return true;
            }
        }
        return false;
    }

    private static boolean tunnels(Policy policy) {
        for (Template template : policy.spec().templates()) {
            if (template.mode().hasOuterHeader()) {
                return true;
            }
        }
        return false;
    }

    private static Address address(byte[] data, int at) {
        return new Address(Bytes.i64(data, at), Bytes.i64(data, at + 8));
    }

    private static void put(byte[] data, int at, Address address) {
        Bytes.putI64(data, at, address.high());
        Bytes.putI64(data, at + 8, address.low());
    }
}
