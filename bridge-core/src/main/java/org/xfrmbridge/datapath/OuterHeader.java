package org.xfrmbridge.datapath;

import org.xfrmbridge.net.Bytes;
import org.xfrmbridge.net.IpPacket;
import org.xfrmbridge.net.Ipv4;
import org.xfrmbridge.net.Ipv6;
import org.xfrmbridge.xfrm.Address;
import org.xfrmbridge.xfrm.AddressFamily;
import org.xfrmbridge.xfrm.StateSpec;

/**
 * An IP header between two fixed ends, worked out once and then copied in front of packet after packet. What differs
 * from packet to packet is put in with {@link #write}; lengths and checksum come last, with {@link IpPacket#resize}.
 */
final class OuterHeader {
    private final int family;
    private final byte[] template;

    OuterHeader(StateSpec spec) {
        family = spec.family();
        template = family == AddressFamily.INET
                ? ipv4(spec.saddr(), spec.id().daddr())
                : ipv6(spec.saddr(), spec.id().daddr());
    }

    int family() {
        return family;
    }

    int bytes() {
        return template.length;
    }

    /**
     * Puts the header so that it ends at {@code at}, and makes it the packet's. The flow label is for IPv6 alone, the
     * word for IPv4.
     */
    void write(IpPacket packet, int at, Fields fields) {
        byte[] data = packet.data();
        int start = at - template.length;
        System.arraycopy(template, 0, data, start, template.length);
        packet.offset = start;
        packet.family = family;
        if (family == AddressFamily.INET) {
            Bytes.putU8(data, start + Ipv4.TOS, fields.tos);
            Bytes.putU16(data, start + Ipv4.ID, fields.id);
            Bytes.putU16(data, start + Ipv4.FRAGMENT, fields.fragmentWord);
            Bytes.putU8(data, start + Ipv4.TTL, fields.ttl);
            packet.protocolAt = start + Ipv4.PROTOCOL;
        } else {
            Bytes.putI32(data, start, 6 << 28 | fields.tos << 20 | fields.flowLabel);
            Bytes.putU8(data, start + Ipv6.HOP_LIMIT, fields.ttl);
            packet.protocolAt = start + Ipv6.NEXT_HEADER;
        }
    }

    /** What is the packet's own in the header; {@code struct xfrm_mode_skb_cb}. Reused. */
    static final class Fields {
        int tos;
        int ttl;
        int id;
        int fragmentWord;
        int flowLabel;

        /**
         * Takes them from a packet's own header, as {@code xfrm4_extract_header} and {@code xfrm6_extract_header} do.
         */
        void extract(IpPacket packet) {
            byte[] data = packet.data();
            int at = packet.offset;
            if (packet.isIpv4()) {
                tos = Bytes.u8(data, at + Ipv4.TOS);
                ttl = Bytes.u8(data, at + Ipv4.TTL);
                id = Bytes.u16(data, at + Ipv4.ID);
                fragmentWord = Bytes.u16(data, at + Ipv4.FRAGMENT);
                flowLabel = 0;
            } else {
                tos = Ipv6.trafficClass(data, at);
                ttl = Bytes.u8(data, at + Ipv6.HOP_LIMIT);
                id = 0;
                fragmentWord = packet.reassembled ? 0 : Ipv4.DONT_FRAGMENT;
                flowLabel = Ipv6.flowLabel(data, at);
            }
        }
    }

    private static byte[] ipv4(Address source, Address destination) {
        byte[] header = new byte[Ipv4.HEADER_BYTES];
        header[Ipv4.VERSION_IHL] = 0x45;
        Bytes.putI32(header, Ipv4.SOURCE, source.ipv4());
        Bytes.putI32(header, Ipv4.DESTINATION, destination.ipv4());
        return header;
    }

    private static byte[] ipv6(Address source, Address destination) {
        byte[] header = new byte[Ipv6.HEADER_BYTES];
        Bytes.putI64(header, Ipv6.SOURCE, source.high());
        Bytes.putI64(header, Ipv6.SOURCE + 8, source.low());
        Bytes.putI64(header, Ipv6.DESTINATION, destination.high());
        Bytes.putI64(header, Ipv6.DESTINATION + 8, destination.low());
        return header;
    }
}
