package org.xfrmbridge.offload;

import org.xfrmbridge.io.PacketBuffer;
import org.xfrmbridge.net.Bytes;
import org.xfrmbridge.net.Checksum;
import org.xfrmbridge.net.Ethernet;
import org.xfrmbridge.net.Ipv4;
import org.xfrmbridge.net.Ipv6;

/** Where things are in one of the frames that may become a super-frame; offsets from the frame's start. Reused. */
final class Segment {
    /** With two tags. */
    static final int MAX_LINK_BYTES = Ethernet.HEADER_BYTES + 2 * Ethernet.TAG_BYTES;

    private static final int IPV4_PLAIN = 0x45;

    PacketBuffer frame;
    int ip;
    int transport;
    int payload;
    boolean ipv4;

    /** Whether it is a whole packet of that protocol, without options or extension headers. */
    boolean parse(PacketBuffer candidate, int protocol, int leastTransportBytes) {
        frame = candidate;
        byte[] data = candidate.data;
        int at = candidate.offset;
        if (candidate.length < Ethernet.HEADER_BYTES + Ipv4.HEADER_BYTES + leastTransportBytes) {
            return false;
        }
        ip = Ethernet.headerBytes(data, at, candidate.length);
        if (ip > MAX_LINK_BYTES) {
            return false;
        }
        int type = Ethernet.type(data, at, ip);
        ipv4 = type == Ethernet.TYPE_IPV4;
        transport = ip + (ipv4 ? Ipv4.HEADER_BYTES : Ipv6.HEADER_BYTES);
        return candidate.length >= transport + leastTransportBytes
                && (ipv4
                        ? isPlainIpv4(data, at + ip, protocol)
                        : type == Ethernet.TYPE_IPV6 && isPlainIpv6(data, at + ip, protocol));
    }

    private boolean isPlainIpv4(byte[] data, int at, int protocol) {
        return Bytes.u8(data, at) == IPV4_PLAIN
                && Ipv4.protocol(data, at) == protocol
                && !Ipv4.isFragment(data, at)
                && Ipv4.totalLength(data, at) == frame.length - ip
                && Checksum.isIntact(Checksum.add(0, data, at, Ipv4.HEADER_BYTES));
    }

    private boolean isPlainIpv6(byte[] data, int at, int protocol) {
        return Bytes.u8(data, at) >>> 4 == 6
                && Bytes.u8(data, at + Ipv6.NEXT_HEADER) == protocol
                && Ipv6.totalLength(data, at) == frame.length - ip;
    }

    int payloadBytes() {
        return frame.length - payload;
    }

    /** Whether the checksum of what IP carries is right. */
    boolean isIntact(int protocol) {
        int bytes = frame.length - transport;
        long sum = pseudoHeader(frame.data, frame.offset + ip, ipv4, protocol, bytes);
        return Checksum.isIntact(Checksum.add(sum, frame.data, frame.offset + transport, bytes));
    }

    static long pseudoHeader(byte[] data, int ip, boolean ipv4, int protocol, int bytes) {
        long addresses = ipv4
                ? Checksum.add(0, data, ip + Ipv4.SOURCE, 2 * Ipv4.ADDRESS_BYTES)
                : Checksum.add(0, data, ip + Ipv6.SOURCE, 2 * Ipv6.ADDRESS_BYTES);
        return addresses + protocol + bytes;
    }
}
