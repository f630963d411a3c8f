package org.xfrmbridge.datapath;

import org.xfrmbridge.db.Sad;
import org.xfrmbridge.net.Bytes;
import org.xfrmbridge.net.Icmp;
import org.xfrmbridge.net.IpPacket;
import org.xfrmbridge.net.Udp;
import org.xfrmbridge.xfrm.Flow;
import org.xfrmbridge.xfrm.IpProtocol;
import org.xfrmbridge.xfrm.State;

/**
 * Reads "fragmentation needed" and "packet too big" that routers send about our packets ({@code esp4_err},
 * {@code ah4_err} and their like). Nobody has authenticated them, so they must quote a Spi that we send to that
 * destination, and can do no worse than {@link PathMtu} allows.
 */
final class PathMtuLearner {
    private static final int NOT_ABOUT_SIZE = -1;

    private final Sad sad;
    private final PathMtu pathMtu;
    private final PathCounters counters;
    private final IcmpQuote quote = new IcmpQuote();

    PathMtuLearner(PathContext context, PathCounters counters) {
        this.counters = counters;
        sad = context.sad();
        pathMtu = context.pathMtu();
    }

    void read(IpPacket icmp, long nowNs) {
        if (!quote.find(icmp)) {
            return;
        }
        int mtuBytes = mtuBytes(icmp);
        IpPacket quoted = quote.packet();
        boolean inUdp = quoted.protocol == IpProtocol.UDP;
        int protocol = inUdp ? IpProtocol.ESP : quoted.protocol;
        int at = quoted.payload + (inUdp ? Udp.HEADER_BYTES : 0);
        boolean showsSpi = SecurityHeader.isOf(protocol)
                && quoted.hasUpperHeader()
                && at + SecurityHeader.namingBytes(protocol) <= icmp.end();
        if (mtuBytes == NOT_ABOUT_SIZE || !showsSpi) {
            return;
        }
        Flow flow = quote.flow();
        int spi = SecurityHeader.spi(protocol, icmp.data(), at);
        counters.add(Metric.LOOKUPS, 1);
        State state = sad.lookup(flow.daddrHigh, flow.daddrLow, spi, protocol, flow.family, icmp.buffer.mark);
        if (state != null && (state.spec().encapsulation() != null) == inUdp) {
            pathMtu.learn(flow.family, state.id().daddr(), mtuBytes, nowNs);
        }
    }

    private static int mtuBytes(IpPacket icmp) {
        byte[] data = icmp.data();
        int typeAndCode = Bytes.u16(data, icmp.payload + Icmp.TYPE);
        if (icmp.isIpv4()) {
            boolean aboutSize = typeAndCode == (Icmp.DESTINATION_UNREACHABLE << 8 | Icmp.FRAGMENTATION_NEEDED);
            return aboutSize ? Bytes.u16(data, icmp.payload + Icmp.MTU_V4) : NOT_ABOUT_SIZE;
        }
        long mtu = Bytes.i32(data, icmp.payload + Icmp.MTU_V6) & 0xffff_ffffL;
        return typeAndCode >>> 8 == Icmp.V6_PACKET_TOO_BIG ? (int) Math.min(mtu, 0xffff) : NOT_ABOUT_SIZE;
    }
}
