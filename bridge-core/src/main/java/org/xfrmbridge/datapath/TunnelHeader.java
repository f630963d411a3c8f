package org.xfrmbridge.datapath;

import java.util.function.IntUnaryOperator;
import org.xfrmbridge.net.IpPacket;
import org.xfrmbridge.net.Ipv4;
import org.xfrmbridge.net.Ipv6;
import org.xfrmbridge.xfrm.AddressFamily;
import org.xfrmbridge.xfrm.IpProtocol;
import org.xfrmbridge.xfrm.StateFlags;
import org.xfrmbridge.xfrm.StateSpec;

/**
 * Tunnel mode, any family in any: RFC 4301 5.1.2 with the kernel's choices ({@code xfrm4_tunnel_encap_add} and its
 * sibling).
 */
final class TunnelHeader extends ModeHeader {
    private static final int HOP_LIMIT = 64;

    private final OuterHeader outer;
    private final OuterHeader.Fields fields = new OuterHeader.Fields();
    private final int innerFamily;
    private final boolean ecn;
    private final boolean dscp;
    private final boolean copyDontFragment;
    private final Identifications identifications;

    TunnelHeader(StateSpec spec, int innerFamily, Identifications identifications) {
        this.outer = new OuterHeader(spec);
        this.innerFamily = innerFamily;
        this.identifications = identifications;
        ecn = !spec.hasFlag(StateFlags.NOECN);
        dscp = !spec.hasExtraFlag(StateFlags.EXTRA_DONT_ENCAP_DSCP);
        copyDontFragment = !spec.hasFlag(StateFlags.NOPMTUDISC);
    }

    @Override
    int prepare(IpPacket packet, int headBytes) {
        if (packet.family != innerFamily) {
            return IMPOSSIBLE;
        }
        int start = packet.offset;
        int end = packet.end();
        fields.extract(packet);
        boolean smallIpv6 = !packet.isIpv4() && packet.length <= Ipv6.MIN_MTU_BYTES;
        boolean dontFragment = copyDontFragment && !smallIpv6 && (fields.fragmentWord & Ipv4.DONT_FRAGMENT) != 0;
        fields.fragmentWord = dontFragment ? Ipv4.DONT_FRAGMENT : 0;
        // An identification is for fragments only (RFC 6864 4.1).
        fields.id = dontFragment ? 0 : identifications.nextIpv4();
        fields.tos = Ecn.encapsulate(dscp ? fields.tos : 0, ecn ? fields.tos : 0);
        fields.ttl = HOP_LIMIT;
        outer.write(packet, start - headBytes, fields);
        packet.payload = start;
        packet.length = end - packet.offset;
        return innerFamily == AddressFamily.INET ? IpProtocol.IPIP : IpProtocol.IPV6;
    }

    @Override
    int outerFamily() {
        return outer.family();
    }

    @Override
    int growthBytes() {
        return outer.bytes();
    }

    @Override
    int innerMtu(int mtuBytes, IntUnaryOperator maxPayloadFor) {
        return maxPayloadFor.applyAsInt(mtuBytes - outer.bytes());
    }
}
