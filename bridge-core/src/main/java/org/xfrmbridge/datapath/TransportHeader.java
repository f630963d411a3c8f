package org.xfrmbridge.datapath;

import java.util.function.IntUnaryOperator;
import org.xfrmbridge.net.IpPacket;
import org.xfrmbridge.net.Ipv4;
import org.xfrmbridge.net.Ipv6;
import org.xfrmbridge.xfrm.AddressFamily;

/**
 * Transport mode: the packet's own header, with the IPv6 extensions that every hop reads, moves forward (RFC 4303
 * 3.1.1).
 */
final class TransportHeader extends ModeHeader {
    private final int family;

    TransportHeader(int family) {
        this.family = family;
    }

    @Override
    int prepare(IpPacket packet, int headBytes) {
        if (packet.family != family) {
            return IMPOSSIBLE;
        }
        int end = packet.end();
        int point = packet.transportPoint();
        int headerBytes = point - packet.offset;
        int moved = packet.offset - headBytes;
        byte[] data = packet.data();
        System.arraycopy(data, packet.offset, data, moved, headerBytes);
        packet.offset = moved;
        packet.protocolAt -= headBytes;
        packet.payload = point;
        packet.length = end - moved;
        return packet.protocol;
    }

    @Override
    int outerFamily() {
        return family;
    }

    @Override
    int growthBytes() {
        return 0;
    }

    @Override
    int innerMtu(int mtuBytes, IntUnaryOperator maxPayloadFor) {
        int headerBytes = family == AddressFamily.INET ? Ipv4.HEADER_BYTES : Ipv6.HEADER_BYTES;
        return maxPayloadFor.applyAsInt(mtuBytes - headerBytes) + headerBytes;
    }
}
