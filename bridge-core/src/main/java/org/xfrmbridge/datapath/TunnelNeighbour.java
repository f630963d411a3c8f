package org.xfrmbridge.datapath;

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
 * Answers the host for neighbours that are nobody. A route into a tunnel may have no gateway: strongSwan makes such ones where the tunnel is of
 * the other family. A kernel with XFRM never looks for the neighbour, as the tunnel's next hop takes its place; the host before us does. Where
 * a policy sends what goes there through a tunnel, the host is told a link address of ours, which {@link Bundle} replaces, and
 * the question, which names an inner address, does not leave. Policies for one protocol or port alone do not count: neighbours have none.
 * Outbound thread only.
 */
final class TunnelNeighbour {
    /** Locally administered; never on the wire. */
    static final long LINK_ADDRESS = MacAddress.parse("02:58:46:52:4d:01");

    private static final int HOP_LIMIT = 255;

    private final PathContext context;
    private final Flow flow = new Flow();

    TunnelNeighbour(PathContext context) {
        this.context = context;
        flow.ifindex = context.ifindex();
    }

    /** Makes a frame that is an ARP request for such a neighbour the answer to it; else false, and nothing changed. */
    boolean answerArp(PacketBuffer frame) {
        byte[] data = frame.data;
        int arp = frame.offset + Ethernet.HEADER_BYTES;
        if (!Arp.isRequest(frame)) {
            return false;
        }
        int sender = Bytes.i32(data, arp + Arp.SENDER_IP);
        int target = Bytes.i32(data, arp + Arp.TARGET_IP);
        // Probes and announcements (RFC 5227) are about the host's own addresses.
        if (sender == 0 || sender == target || !isBehindTunnel(AddressFamily.INET, Address.ofIpv4(target))) {
            return false;
        }
        long host = MacAddress.read(data, arp + Arp.SENDER_MAC);
        Bytes.putU16(data, arp + Arp.OPERATION, Arp.REPLY);
        MacAddress.write(data, arp + Arp.SENDER_MAC, LINK_ADDRESS);
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
        if (source.isAny(AddressFamily.INET6) || !isBehindTunnel(AddressFamily.INET6, target)) {
            return false;
        }
        PacketBuffer frame = packet.buffer;
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
        MacAddress.write(data, icmp + Icmp.NEIGHBOUR_BYTES + 2, LINK_ADDRESS);
    }

    private static void writeLink(PacketBuffer frame) {
        long host = MacAddress.read(frame.data, frame.offset + Ethernet.SOURCE);
        MacAddress.write(frame.data, frame.offset + Ethernet.DESTINATION, host);
        MacAddress.write(frame.data, frame.offset + Ethernet.SOURCE, LINK_ADDRESS);
    }

    /** Whether anything that the host could send there would enter a tunnel that ends elsewhere. */
    private boolean isBehindTunnel(int family, Address target) {
        if (context.spd().isEmpty(Direction.OUT)) {
            return false;
        }
        flow.family = family;
        flow.daddrHigh = target.high();
        flow.daddrLow = target.low();
        for (Address source : context.network().localAddresses(family)) {
            flow.saddrHigh = source.high();
            flow.saddrLow = source.low();
            Policy policy = context.spd().lookup(PolicySpec.Type.MAIN, Direction.OUT, flow);
            if (policy != null && policy.spec().action() == PolicySpec.Action.ALLOW && tunnels(policy, family, target)) {
                return true;
            }
        }
        return false;
    }

    private static boolean tunnels(Policy policy, int family, Address target) {
        for (Template template : policy.spec().templates()) {
            boolean ends = template.family() == family && template.id().daddr().equalsAs(target, family);
            if (template.mode().hasOuterHeader() && !ends) {
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
