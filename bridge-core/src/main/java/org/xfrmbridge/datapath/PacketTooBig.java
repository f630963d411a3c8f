package org.xfrmbridge.datapath;

import org.xfrmbridge.io.PacketBuffer;
import org.xfrmbridge.net.Bytes;
import org.xfrmbridge.net.Checksum;
import org.xfrmbridge.net.Ethernet;
import org.xfrmbridge.net.Icmp;
import org.xfrmbridge.net.IpPacket;
import org.xfrmbridge.net.Ipv4;
import org.xfrmbridge.net.Ipv6;
import org.xfrmbridge.net.MacAddress;
import org.xfrmbridge.xfrm.Address;
import org.xfrmbridge.xfrm.IpProtocol;

/**
 * The answer to a packet that does not fit: ICMP "fragmentation needed" (RFC 1191) or ICMPv6 "packet too big" (RFC 4443
 * 3.2), told to the packet's sender.
 */
final class PacketTooBig {
    private static final int QUOTE_BYTES_V4 = 548;
    private static final int TTL = 64;
    private static final int TOS_INTERNETWORK_CONTROL = 0xc0;

    private PacketTooBig() {}

    /** Whether the packet is one that errors may answer: not an error itself, and to one destination. */
    static boolean mayBeTold(IpPacket packet) {
        byte[] data = packet.data();
        if (packet.isIpv4()) {
            int group = Bytes.u8(data, packet.offset + Ipv4.DESTINATION);
            return group < 224 && !(isIcmp(packet, IpProtocol.ICMP) && Icmp.isError(Bytes.u8(data, packet.payload)));
        }
        // RFC 4443 2.4 (e) lets packet-too-big answer multicast too, but who would be said to send it?
        boolean multicast = Bytes.u8(data, packet.offset + Ipv6.DESTINATION) == 0xff;
        return !multicast && !(isIcmp(packet, IpProtocol.ICMPV6) && Icmp.isErrorV6(Bytes.u8(data, packet.payload)));
    }

    private static boolean isIcmp(IpPacket packet, int protocol) {
        return packet.protocol == protocol && packet.payloadBytes() > 0;
    }

    /** As if by the packet's destination: an address from where packets come to the host. */
    static void answer(IpPacket packet, int mtuBytes, PacketBuffer into) {
        byte[] data = packet.data();
        Address from = packet.isIpv4()
                ? Address.ofIpv4(Bytes.i32(data, packet.offset + Ipv4.DESTINATION))
                : new Address(
                        Bytes.i64(data, packet.offset + Ipv6.DESTINATION),
                        Bytes.i64(data, packet.offset + Ipv6.DESTINATION + 8));
        answer(packet, from, mtuBytes, into);
    }

    /** Makes an empty buffer the frame of the answer. The packet is unchanged, its link header still before it. */
    static void answer(IpPacket packet, Address from, int mtuBytes, PacketBuffer into) {
        int link = packet.buffer.offset;
        int headerBytes = packet.isIpv4() ? Ipv4.HEADER_BYTES : Ipv6.HEADER_BYTES;
        int quoteLimit = packet.isIpv4() ? QUOTE_BYTES_V4 : Ipv6.MIN_MTU_BYTES - headerBytes - Icmp.HEADER_BYTES;
        int quoted = Math.min(packet.length, quoteLimit);
        int total = headerBytes + Icmp.HEADER_BYTES + quoted;
        into.ensureCapacity(packet.linkBytes + total);
        into.length = packet.linkBytes + total;
        System.arraycopy(packet.data(), link, into.data, into.offset, packet.linkBytes);
        MacAddress.write(
                into.data, into.offset + Ethernet.DESTINATION, MacAddress.read(packet.data(), link + Ethernet.SOURCE));
        MacAddress.write(
                into.data, into.offset + Ethernet.SOURCE, MacAddress.read(packet.data(), link + Ethernet.DESTINATION));
        int at = into.offset + packet.linkBytes;
        int icmp = at + headerBytes;
        System.arraycopy(packet.data(), packet.offset, into.data, icmp + Icmp.HEADER_BYTES, quoted);
        if (packet.isIpv4()) {
            Bytes.putI32(into.data, at + Ipv4.SOURCE, from.ipv4());
            writeIpv4(packet, into.data, at, total, mtuBytes);
        } else {
            Bytes.putI64(into.data, at + Ipv6.SOURCE, from.high());
            Bytes.putI64(into.data, at + Ipv6.SOURCE + 8, from.low());
            writeIpv6(packet, into.data, at, total, mtuBytes);
        }
    }

    private static void writeIpv4(IpPacket packet, byte[] out, int at, int total, int mtuBytes) {
        Bytes.putI32(out, at, 0x4500_0000 | TOS_INTERNETWORK_CONTROL << 16);
        Bytes.putI32(out, at + Ipv4.ID, 0);
        Bytes.putU16(out, at + Ipv4.TTL, TTL << 8 | IpProtocol.ICMP);
        Bytes.putI32(out, at + Ipv4.DESTINATION, Bytes.i32(packet.data(), packet.offset + Ipv4.SOURCE));
        Ipv4.finish(out, at, total);
        int icmp = at + Ipv4.HEADER_BYTES;
        Bytes.putI32(out, icmp, Icmp.DESTINATION_UNREACHABLE << 24 | Icmp.FRAGMENTATION_NEEDED << 16);
        Bytes.putI32(out, icmp + 4, mtuBytes);
        int checksum = Checksum.finish(Checksum.add(0, out, icmp, total - Ipv4.HEADER_BYTES));
        Bytes.putU16(out, icmp + Icmp.CHECKSUM, checksum);
    }

    private static void writeIpv6(IpPacket packet, byte[] out, int at, int total, int mtuBytes) {
        Bytes.putI32(out, at, 6 << 28);
        Ipv6.putTotalLength(out, at, total);
        Bytes.putU16(out, at + Ipv6.NEXT_HEADER, IpProtocol.ICMPV6 << 8 | TTL);
        System.arraycopy(packet.data(), packet.offset + Ipv6.SOURCE, out, at + Ipv6.DESTINATION, Ipv6.ADDRESS_BYTES);
        int icmp = at + Ipv6.HEADER_BYTES;
        int icmpBytes = total - Ipv6.HEADER_BYTES;
        Bytes.putI32(out, icmp, Icmp.V6_PACKET_TOO_BIG << 24);
        Bytes.putI32(out, icmp + Icmp.MTU_V6, mtuBytes);
        long sum = Checksum.add(0, out, at + Ipv6.SOURCE, 2 * Ipv6.ADDRESS_BYTES) + IpProtocol.ICMPV6 + icmpBytes;
        Bytes.putU16(out, icmp + Icmp.CHECKSUM, Checksum.finish(Checksum.add(sum, out, icmp, icmpBytes)));
    }
}
