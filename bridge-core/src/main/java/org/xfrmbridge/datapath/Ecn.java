package org.xfrmbridge.datapath;

import org.xfrmbridge.net.Bytes;
import org.xfrmbridge.net.IpPacket;
import org.xfrmbridge.net.Ipv4;
import org.xfrmbridge.net.Ipv6;

/**
 * The two low bits of TOS and traffic class across tunnels: RFC 3168 9.1.1 full functionality, as the kernel does it.
 */
final class Ecn {
    static final int MASK = 3;
    static final int ECT_0 = 2;
    static final int CE = 3;

    private Ecn() {}

    /** An outer TOS of the DSCP of one and the ECN bits of the other; congestion met inside is not told outside. */
    static int encapsulate(int dscpOf, int ecnOf) {
        int inner = ecnOf & MASK;
        return dscpOf & ~MASK | (inner == CE ? ECT_0 : inner);
    }

    static int tos(IpPacket packet) {
        return packet.isIpv4()
                ? Bytes.u8(packet.data(), packet.offset + Ipv4.TOS)
                : Ipv6.trafficClass(packet.data(), packet.offset);
    }

    static void putTos(IpPacket packet, int tos) {
        if (packet.isIpv4()) {
            Ipv4.putTos(packet.data(), packet.offset, tos);
        } else {
            Ipv6.putTrafficClass(packet.data(), packet.offset, tos);
        }
    }

    /**
     * Congestion met on the outer way is told to an inner packet whose ends understand it; one that does not is left as
     * it is.
     */
    static int decapsulate(int outerTos, int innerTos) {
        boolean capable = (innerTos & MASK) != 0;
        return (outerTos & MASK) == CE && capable ? innerTos | CE : innerTos;
    }
}
