package org.xfrmbridge.datapath;

import org.xfrmbridge.net.Bytes;
import org.xfrmbridge.net.Checksum;
import org.xfrmbridge.net.IpPacket;
import org.xfrmbridge.net.Udp;
import org.xfrmbridge.xfrm.Encapsulation;
import org.xfrmbridge.xfrm.IpProtocol;

/** ESP in UDP (RFC 3948), in front of ESP on the way out. */
final class UdpEncapsulation {
    /** What arrives on an encapsulation port. */
    enum Content {
        ESP,
        /** A single byte 0xff: nobody's business (RFC 3948 2.3). */
        KEEPALIVE,
        /** With non-ESP marker, or too short for ESP: the daemon's. */
        OTHER
    }

    private static final int KEEPALIVE_BYTE = 0xff;
    private static final int LEAST_ESP_BYTES = 8;

    private UdpEncapsulation() {}

    /** Writes the header in front of the ESP packet at {@code espAt}; the packet's lengths are final. */
    static void write(IpPacket packet, int espAt, Encapsulation encapsulation) {
        byte[] data = packet.data();
        int udp = espAt - Udp.HEADER_BYTES;
        int udpBytes = packet.end() - udp;
        Bytes.putU16(data, udp + Udp.SOURCE_PORT, encapsulation.sport());
        Bytes.putU16(data, udp + Udp.DESTINATION_PORT, encapsulation.dport());
        Bytes.putU16(data, udp + Udp.LENGTH, udpBytes);
        Bytes.putU16(data, udp + Udp.CHECKSUM, 0);
        if (!packet.isIpv4()) {
            // RFC 8200 8.1: mandatory.
            long sum = Checksum.pseudoHeader(packet, IpProtocol.UDP, udpBytes);
            int checksum = Checksum.finish(Checksum.add(sum, data, udp, udpBytes));
            Bytes.putU16(data, udp + Udp.CHECKSUM, Udp.present(checksum));
        }
    }

    /** Tells apart what a UDP packet on an encapsulation port holds, as {@code xfrm4_udp_encap_rcv} does. */
    static Content content(byte[] data, int at, int bytes) {
        if (bytes == 1 && Bytes.u8(data, at) == KEEPALIVE_BYTE) {
            return Content.KEEPALIVE;
        }
        return bytes > LEAST_ESP_BYTES && Bytes.i32(data, at) != 0 ? Content.ESP : Content.OTHER;
    }
}
