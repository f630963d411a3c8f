package org.xfrmbridge.demo;

import org.xfrmbridge.io.PacketBuffer;
import org.xfrmbridge.net.Bytes;
import org.xfrmbridge.net.Ethernet;
import org.xfrmbridge.net.IpPacket;
import org.xfrmbridge.net.Ipv4;
import org.xfrmbridge.net.Ipv6;
import org.xfrmbridge.net.Udp;
import org.xfrmbridge.xfrm.Address;
import org.xfrmbridge.xfrm.AddressFamily;

/**
 * One frame on the wire as a line of text, in the manner of tcpdump.
 *
 * @param kind what it is, as far as secrecy goes
 */
record FrameLine(Kind kind, String text) {
    /** What can be told of a frame from outside. */
    enum Kind {
        /** Who has which address: ARP, IPv6 neighbour discovery and multicast listeners. */
        NEIGHBOUR,
        /** Key exchange. */
        IKE,
        /** Protected traffic, over IP or over UDP. */
        ESP,
        /** No IP at all. */
        OTHER,
        /** Everything that nobody but the two hosts should have been able to read. */
        CLEAR
    }

    private static final int PROTOCOL_IGMP = 2;
    private static final int PROTOCOL_UDP = 17;
    private static final int PROTOCOL_ESP = 50;
    private static final int PROTOCOL_ICMP6 = 58;
    private static final int ESP_HEADER_BYTES = 8;
    private static final int IKE_PORT = 500;
    private static final int NAT_PORT = 4500;
    private static final int ARP_BYTES = 28;
    private static final int ARP_REQUEST = 1;
    private static final String LISTENER = "multicast listener report";

    /** Describes a whole Ethernet frame. */
    static FrameLine of(byte[] frame) {
        PacketBuffer buffer = new PacketBuffer();
        buffer.ensureCapacity(frame.length);
        System.arraycopy(frame, 0, buffer.data, buffer.offset, frame.length);
        buffer.length = frame.length;
        IpPacket packet = new IpPacket();
        return switch (packet.parse(buffer)) {
            case OTHER, ENCAPSULATED -> ofOther(buffer, packet.linkBytes);
            case MALFORMED -> new FrameLine(Kind.CLEAR, "malformed, " + frame.length + " bytes");
            default -> ofIp(packet);
        };
    }

    private static FrameLine ofOther(PacketBuffer frame, int linkBytes) {
        int type = Ethernet.type(frame.data, frame.offset, linkBytes);
        int arp = frame.offset + linkBytes;
        if (type != Ethernet.TYPE_ARP || frame.length < linkBytes + ARP_BYTES) {
            return new FrameLine(Kind.OTHER, "EtherType 0x%04x".formatted(type));
        }
        String sender = Address.ofIpv4(Bytes.i32(frame.data, arp + 14)).toText(AddressFamily.INET);
        String target = Address.ofIpv4(Bytes.i32(frame.data, arp + 24)).toText(AddressFamily.INET);
        return new FrameLine(
                Kind.NEIGHBOUR,
                Bytes.u16(frame.data, arp + 6) == ARP_REQUEST
                        ? "ARP: who has %s, tell %s".formatted(target, sender)
                        : "ARP: %s is here".formatted(sender));
    }

    private static FrameLine ofIp(IpPacket packet) {
        String way = source(packet) + " > " + destination(packet) + ": ";
        if (packet.protocol == PROTOCOL_ESP) {
            return new FrameLine(Kind.ESP, way + esp(packet, packet.payload));
        }
        if (packet.protocol == PROTOCOL_IGMP) {
            return new FrameLine(Kind.NEIGHBOUR, way + LISTENER);
        }
        if (packet.protocol == PROTOCOL_UDP && packet.hasUpperHeader() && packet.payloadBytes() >= Udp.HEADER_BYTES) {
            return ofUdp(packet, way);
        }
        if (packet.protocol == PROTOCOL_ICMP6 && packet.hasUpperHeader() && packet.payloadBytes() > 0) {
            return ofIcmp6(way, Bytes.u8(packet.data(), packet.payload));
        }
        return new FrameLine(Kind.CLEAR, way + "protocol " + packet.protocol + length(packet));
    }

    private static FrameLine ofUdp(IpPacket packet, String way) {
        int from = Bytes.u16(packet.data(), packet.payload + Udp.SOURCE_PORT);
        int to = Bytes.u16(packet.data(), packet.payload + Udp.DESTINATION_PORT);
        int body = packet.payload + Udp.HEADER_BYTES;
        if (from == IKE_PORT || to == IKE_PORT) {
            return new FrameLine(Kind.IKE, way + "IKE, UDP port 500" + length(packet));
        }
        if (from != NAT_PORT && to != NAT_PORT) {
            return new FrameLine(Kind.CLEAR, way + "UDP port " + from + " to " + to + length(packet));
        }
        // RFC 3948: four bytes of zero where an SPI would stand mark IKE; a datagram of one byte keeps a NAT's mapping
        // alive.
        boolean marked = packet.end() - body < 4 || Bytes.i32(packet.data(), body) == 0;
        return marked
                ? new FrameLine(Kind.IKE, way + "IKE, UDP port 4500" + length(packet))
                : new FrameLine(Kind.ESP, way + "UDP-encapsulated " + esp(packet, body));
    }

    private static FrameLine ofIcmp6(String way, int type) {
        return switch (type) {
            case 130, 131, 132, 143 -> new FrameLine(Kind.NEIGHBOUR, way + LISTENER);
            case 133, 134, 135, 136, 137 -> new FrameLine(Kind.NEIGHBOUR, way + "neighbour discovery");
            default -> new FrameLine(Kind.CLEAR, way + "ICMPv6 type " + type);
        };
    }

    private static String esp(IpPacket packet, int at) {
        if (!packet.hasUpperHeader() || packet.end() - at < ESP_HEADER_BYTES) {
            return "ESP, a fragment" + length(packet);
        }
        return "ESP(spi=0x%08x,seq=0x%x)".formatted(Bytes.i32(packet.data(), at), Bytes.i32(packet.data(), at + 4))
                + length(packet);
    }

    private static String length(IpPacket packet) {
        return ", length " + packet.payloadBytes();
    }

    private static String source(IpPacket packet) {
        return address(packet, packet.isIpv4() ? Ipv4.SOURCE : Ipv6.SOURCE);
    }

    private static String destination(IpPacket packet) {
        return address(packet, packet.isIpv4() ? Ipv4.DESTINATION : Ipv6.DESTINATION);
    }

    private static String address(IpPacket packet, int field) {
        int at = packet.offset + field;
        return packet.isIpv4()
                ? Address.ofIpv4(Bytes.i32(packet.data(), at)).toText(AddressFamily.INET)
                : new Address(Bytes.i64(packet.data(), at), Bytes.i64(packet.data(), at + 8))
                        .toText(AddressFamily.INET6);
    }
}
