package org.xfrmbridge.datapath;

import org.xfrmbridge.net.Bytes;
import org.xfrmbridge.net.FlowDecoder;
import org.xfrmbridge.net.Icmp;
import org.xfrmbridge.net.IpPacket;
import org.xfrmbridge.net.IpPacket.Kind;
import org.xfrmbridge.xfrm.AddressFamily;
import org.xfrmbridge.xfrm.Flow;
import org.xfrmbridge.xfrm.IpProtocol;

/** The packet that an ICMP error is about, of which it quotes the beginning. Reused. */
final class IcmpQuote {
    private final IpPacket quoted = new IpPacket();
    private final Flow flow = new Flow();

    /** Looks for the quote; false if the packet is no ICMP error or quotes too little. */
    boolean find(IpPacket icmp) {
        if (icmp.fragment || icmp.payloadBytes() < Icmp.HEADER_BYTES) {
            return false;
        }
        int type = Bytes.u8(icmp.data(), icmp.payload + Icmp.TYPE);
        boolean error = icmp.protocol == IpProtocol.ICMP && Icmp.isError(type);
        boolean errorV6 = icmp.protocol == IpProtocol.ICMPV6 && Icmp.isErrorV6(type);
        int at = icmp.payload + Icmp.HEADER_BYTES;
        quoted.buffer = icmp.buffer;
        return (error || errorV6)
                && quoted.parseQuote(error ? AddressFamily.INET : AddressFamily.INET6, at, icmp.end() - at) == Kind.IP;
    }

    /** The same for errors that a kernel relates to their packets when it forwards them ({@code icmp_err_packet}). */
    boolean findFate(IpPacket icmp) {
        if (!find(icmp)) {
            return false;
        }
        int type = Bytes.u8(icmp.data(), icmp.payload + Icmp.TYPE);
        return icmp.isIpv4() ? Icmp.isFate(type) : Icmp.isFateV6(type);
    }

    IpPacket packet() {
        return quoted;
    }

    Flow flow() {
        FlowDecoder.decode(quoted, flow);
        return flow;
    }

    /** As if it went the way of the error, by the same interfaces, with the same mark and by the same CPU. */
    Flow reversedFlow(Flow error) {
        FlowDecoder.decode(quoted, flow);
        FlowDecoder.reverse(flow);
        flow.ifindex = error.ifindex;
        flow.lowerIfindex = error.lowerIfindex;
        flow.mark = error.mark;
        flow.cpu = error.cpu;
        return flow;
    }
}
