package org.xfrmbridge.daemon.nft;

import static org.xfrmbridge.daemon.nft.Rule.bytes;
import static org.xfrmbridge.daemon.nft.Rule.networkShort;

import org.xfrmbridge.daemon.nft.Rule.Comparison;
import org.xfrmbridge.daemon.nft.Rule.Header;
import org.xfrmbridge.net.Ethernet;
import org.xfrmbridge.net.Ipv4;
import org.xfrmbridge.net.Ipv6;
import org.xfrmbridge.xfrm.IpProtocol;

/** Conditions at the ingress of a device that hold for what a {@link org.xfrmbridge.daemon.os.PacketRing} takes. */
final class PlainEsp {
    private static final int IPV4_PLAIN = 0x45;
    private static final byte[] MORE_FRAGMENTS_OR_OFFSET = bytes(0x3f, 0xff);
    private static final byte[] NONE = bytes(0, 0);

    private PlainEsp() {}

    /**
     * The link header shows a VLAN tag also where the kernel has taken it out.
     *
     * @param mostPacketBytes as the ring has it
     */
    static Rule ipv4(int mostPacketBytes) {
        return new Rule()
                .is(Header.NETWORK, Ipv4.PROTOCOL, bytes(IpProtocol.ESP))
                .is(Header.LINK, Ethernet.TYPE, networkShort(Ethernet.TYPE_IPV4))
                .is(Header.NETWORK, 0, bytes(IPV4_PLAIN))
                .load(Header.NETWORK, Ipv4.FRAGMENT, 2, 0)
                .mask(0, MORE_FRAGMENTS_OR_OFFSET, NONE)
                .compare(0, Comparison.EQUAL, NONE)
                .has(Header.NETWORK, Ipv4.TOTAL_LENGTH, Comparison.AT_MOST, networkShort(mostPacketBytes));
    }

    /** @param mostPacketBytes as the ring has it */
    static Rule ipv6(int mostPacketBytes) {
        int mostPayloadBytes = mostPacketBytes - Ipv6.HEADER_BYTES;
        return new Rule()
                .is(Header.NETWORK, Ipv6.NEXT_HEADER, bytes(IpProtocol.ESP))
                .is(Header.LINK, Ethernet.TYPE, networkShort(Ethernet.TYPE_IPV6))
                .has(Header.NETWORK, Ipv6.PAYLOAD_LENGTH, Comparison.AT_MOST, networkShort(mostPayloadBytes));
    }
}
