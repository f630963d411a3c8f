package org.xfrmbridge.datapath;

import org.xfrmbridge.db.Sad;
import org.xfrmbridge.net.Bytes;
import org.xfrmbridge.net.Icmp;
import org.xfrmbridge.net.IpPacket;
import org.xfrmbridge.net.IpPacket.Kind;
import org.xfrmbridge.net.Udp;
import org.xfrmbridge.net.FlowDecoder;
import org.xfrmbridge.xfrm.AddressFamily;
import org.xfrmbridge.xfrm.Flow;
import org.xfrmbridge.xfrm.IpProtocol;
import org.xfrmbridge.xfrm.State;

/**
 * Reads "fragmentation needed" and "packet too big" that routers send about our ESP packets ({@code esp4_err}, {@code esp6_err}). Nobody
 * has authenticated them, so they must quote a Spi that we send to that destination, and can do no worse than {@link PathMtu} allows.
 */
final class PathMtuLearner {
    private final Sad sad;
    private final PathMtu pathMtu;
    private final IpPacket quoted = new IpPacket();
    private final Flow flow = new Flow();

    PathMtuLearner(PathContext context) {
        sad = context.sad();
        pathMtu = context.pathMtu();
    }

    void read(IpPacket icmp, long nowNs) {
        byte[] data = icmp.data();
        int at = icmp.payload;
        if (icmp.payloadBytes() < Icmp.HEADER_BYTES || icmp.fragment) {
            return;
        }
        int type = Bytes.u8(data, at + Icmp.TYPE);
        int code = Bytes.u8(data, at + Icmp.CODE);
        if (icmp.protocol == IpProtocol.ICMP && type == Icmp.DESTINATION_UNREACHABLE && code == Icmp.FRAGMENTATION_NEEDED) {
            learn(icmp, AddressFamily.INET, Bytes.u16(data, at + Icmp.MTU_V4), nowNs);
        } else if (icmp.protocol == IpProtocol.ICMPV6 && type == Icmp.V6_PACKET_TOO_BIG) {
            learn(icmp, AddressFamily.INET6, (int) Math.min(Bytes.i32(data, at + Icmp.MTU_V6) & 0xffff_ffffL, 0xffff), nowNs);
        }
    }

    private void learn(IpPacket icmp, int family, int mtuBytes, long nowNs) {
        int quoteAt = icmp.payload + Icmp.HEADER_BYTES;
        quoted.buffer = icmp.buffer;
        if (quoted.parseQuote(family, quoteAt, icmp.end() - quoteAt) != Kind.IP) {
            return;
        }
        int spiAt = quoted.payload + (quoted.protocol == IpProtocol.UDP ? Udp.HEADER_BYTES : 0);
        boolean ours = quoted.protocol == IpProtocol.ESP || quoted.protocol == IpProtocol.UDP;
        if (!ours || quoted.fragmentStart != 0 || spiAt + 4 > icmp.end()) {
            return;
        }
        FlowDecoder.decode(quoted, flow);
        int spi = Bytes.i32(icmp.data(), spiAt);
        State state = sad.lookup(flow.daddrHigh, flow.daddrLow, spi, IpProtocol.ESP, family, 0);
        if (state != null && (state.spec().encapsulation() != null) == (quoted.protocol == IpProtocol.UDP)) {
            pathMtu.learn(family, state.id().daddr(), mtuBytes, nowNs);
        }
    }
}
