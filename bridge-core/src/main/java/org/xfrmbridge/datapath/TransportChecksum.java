package org.xfrmbridge.datapath;

import org.xfrmbridge.net.Bytes;
import org.xfrmbridge.net.Checksum;
import org.xfrmbridge.net.Icmp;
import org.xfrmbridge.net.IpPacket;
import org.xfrmbridge.net.Udp;
import org.xfrmbridge.xfrm.IpProtocol;

/**
 * Checksums of packets that came in transport mode through a NAT: they still are of the addresses before it (RFC 3948
 * 3.1.2). A kernel takes them as verified; ours go to a host that will look, so they are made anew. ESP has verified
 * the contents.
 */
final class TransportChecksum {
    private TransportChecksum() {}

    /** Gives a UDP datagram one, also where there was none. */
    static void supply(IpPacket packet) {
        renew(packet, Udp.CHECKSUM, packet.payloadBytes());
    }

    static void renew(IpPacket packet) {
        int bytes = packet.payloadBytes();
        if (packet.fragment) {
            return;
        }
        switch (packet.protocol) {
            case IpProtocol.TCP -> renew(packet, Udp.TCP_CHECKSUM, bytes);
            case IpProtocol.UDP -> {
                if (bytes >= Udp.HEADER_BYTES && Bytes.u16(packet.data(), packet.payload + Udp.CHECKSUM) != 0) {
                    renew(packet, Udp.CHECKSUM, bytes);
                }
            }
            case IpProtocol.ICMPV6 -> renew(packet, Icmp.CHECKSUM, bytes);
            default -> {}
        }
    }

    private static void renew(IpPacket packet, int checksumOffset, int bytes) {
        if (bytes < checksumOffset + 2) {
            return;
        }
        byte[] data = packet.data();
        Bytes.putU16(data, packet.payload + checksumOffset, 0);
        long sum = Checksum.pseudoHeader(packet, packet.protocol, bytes);
        int checksum = Checksum.finish(Checksum.add(sum, data, packet.payload, bytes));
        boolean zero = checksum == 0 && packet.protocol == IpProtocol.UDP;
        Bytes.putU16(data, packet.payload + checksumOffset, zero ? 0xffff : checksum);
    }
}
