package org.xfrmbridge.datapath;

import org.xfrmbridge.net.Bytes;
import org.xfrmbridge.net.IpPacket;
import org.xfrmbridge.net.IpPacket.Kind;
import org.xfrmbridge.net.Ipv4;
import org.xfrmbridge.net.Ipv6;
import org.xfrmbridge.xfrm.Address;
import org.xfrmbridge.xfrm.AddressFamily;
import org.xfrmbridge.xfrm.IpProtocol;
import org.xfrmbridge.xfrm.StateFlags;
import org.xfrmbridge.xfrm.StateSpec;

/**
 * What remains of a packet when ESP is opened and its mode's header taken away: {@code xfrm_inner_mode_input}. The
 * contents are authenticated, which does not make them well formed: each length is checked again.
 */
final class ModeInput {
    private final OuterHeader.Fields outer = new OuterHeader.Fields();

    /** Makes the inner packet the packet; false if it is not what the mode wants. */
    boolean strip(IpPacket packet, Opened opened, StateSpec spec) {
        return switch (spec.mode()) {
            case TRANSPORT -> stripTransport(packet, opened);
            case TUNNEL -> stripTunnel(packet, opened, spec);
            case BEET -> stripBeet(packet, opened, spec);
            default -> false;
        };
    }

    /** An opened ESP packet: what its header was, and where its payload lies. Reused. */
    static final class Opened {
        /** Length of the header in front of UDP or ESP, extensions included. */
        int headerBytes;

        int payloadAt;
        int payloadBytes;
        int nextHeader;
        /** The packet's number, as its sender counted it. */
        long sequence;
    }

    /** The packet's own header moves back to its payload. */
    private static boolean stripTransport(IpPacket packet, Opened opened) {
        byte[] data = packet.data();
        int moved = opened.payloadAt - opened.headerBytes;
        Bytes.putU8(data, packet.protocolAt, opened.nextHeader);
        System.arraycopy(data, packet.offset, data, moved, opened.headerBytes);
        packet.offset = moved;
        int total = opened.headerBytes + opened.payloadBytes;
        if (total > packet.maxBytes()) {
            return false;
        }
        packet.resize(total);
        return packet.reparse(packet.family, moved, packet.length) == Kind.IP;
    }

    private static boolean stripTunnel(IpPacket packet, Opened opened, StateSpec spec) {
        int innerFamily = switch (opened.nextHeader) {
            case IpProtocol.IPIP -> AddressFamily.INET;
            case IpProtocol.IPV6 -> AddressFamily.INET6;
            default -> AddressFamily.UNSPEC;
        };
        int outerTos = Ecn.tos(packet);
        if (innerFamily == AddressFamily.UNSPEC
                || packet.reparse(innerFamily, opened.payloadAt, opened.payloadBytes) != Kind.IP) {
            return false;
        }
        int innerTos = Ecn.tos(packet);
        int tos = spec.hasFlag(StateFlags.DECAP_DSCP) ? outerTos & ~Ecn.MASK | innerTos & Ecn.MASK : innerTos;
        tos = spec.hasFlag(StateFlags.NOECN) ? tos : Ecn.decapsulate(outerTos, tos);
        if (tos != innerTos) {
            Ecn.putTos(packet, tos);
        }
        return true;
    }

    /** The inner header is made of the outer one and the addresses of the selector. */
    private boolean stripBeet(IpPacket packet, Opened opened, StateSpec spec) {
        outer.extract(packet);
        int innerFamily = spec.selector().family();
        if (innerFamily == AddressFamily.INET) {
            return stripBeetIpv4(packet, opened, spec);
        }
        return innerFamily == AddressFamily.INET6 && stripBeetIpv6(packet, opened, spec);
    }

    private boolean stripBeetIpv4(IpPacket packet, Opened opened, StateSpec spec) {
        byte[] data = packet.data();
        int optionBytes = opened.nextHeader == IpProtocol.BEET ? openPseudoHeader(data, opened) : 0;
        int at = opened.payloadAt - Ipv4.HEADER_BYTES;
        int total = Ipv4.HEADER_BYTES + opened.payloadBytes;
        if (optionBytes < 0 || total > Ipv4.MAX_PACKET_BYTES) {
            return false;
        }
        Bytes.putU8(data, at, 0x45 + optionBytes / 4);
        Bytes.putU8(data, at + Ipv4.TOS, outer.tos);
        Bytes.putU16(data, at + Ipv4.ID, outer.id);
        Bytes.putU16(data, at + Ipv4.FRAGMENT, outer.fragmentWord & Ipv4.DONT_FRAGMENT);
        Bytes.putU8(data, at + Ipv4.TTL, outer.ttl);
        Bytes.putU8(data, at + Ipv4.PROTOCOL, opened.nextHeader);
        Bytes.putI32(data, at + Ipv4.SOURCE, spec.selector().saddr().ipv4());
        Bytes.putI32(data, at + Ipv4.DESTINATION, spec.selector().daddr().ipv4());
        Ipv4.finish(data, at, total);
        return packet.reparse(AddressFamily.INET, at, total) == Kind.IP;
    }

    /**
     * Steps over a pseudo header; returns the length of the options that now begin the payload, negative if they cannot
     * be.
     */
    private static int openPseudoHeader(byte[] data, Opened opened) {
        if (opened.payloadBytes < BeetHeader.PSEUDO_BYTES) {
            return -1;
        }
        int at = opened.payloadAt;
        int pseudoBytes = BeetHeader.PSEUDO_BYTES + Bytes.u8(data, at + BeetHeader.PSEUDO_PAD_LENGTH);
        int optionBytes = Bytes.u8(data, at + BeetHeader.PSEUDO_UNITS) * 8 + BeetHeader.MAX_PSEUDO_BYTES - pseudoBytes;
        boolean fits = optionBytes >= 0
                && (optionBytes & 3) == 0
                && optionBytes <= Ipv4.MAX_HEADER_BYTES - Ipv4.HEADER_BYTES
                && pseudoBytes + optionBytes <= opened.payloadBytes;
        opened.nextHeader = Bytes.u8(data, at + BeetHeader.PSEUDO_NEXT_HEADER);
        opened.payloadAt += pseudoBytes;
        opened.payloadBytes -= pseudoBytes;
        return fits ? optionBytes : -1;
    }

    private boolean stripBeetIpv6(IpPacket packet, Opened opened, StateSpec spec) {
        byte[] data = packet.data();
        int at = opened.payloadAt - Ipv6.HEADER_BYTES;
        int total = Ipv6.HEADER_BYTES + opened.payloadBytes;
        Bytes.putI32(data, at, 6 << 28 | outer.tos << 20 | outer.flowLabel);
        Ipv6.putTotalLength(data, at, total);
        Bytes.putU8(data, at + Ipv6.NEXT_HEADER, opened.nextHeader);
        Bytes.putU8(data, at + Ipv6.HOP_LIMIT, outer.ttl);
        putAddress(data, at + Ipv6.SOURCE, spec.selector().saddr());
        putAddress(data, at + Ipv6.DESTINATION, spec.selector().daddr());
        return packet.reparse(AddressFamily.INET6, at, total) == Kind.IP;
    }

    private static void putAddress(byte[] data, int at, Address address) {
        Bytes.putI64(data, at, address.high());
        Bytes.putI64(data, at + 8, address.low());
    }
}
