package org.xfrmbridge.datapath;

import org.xfrmbridge.esp.EspLengths;
import org.xfrmbridge.esp.EspTransform;
import org.xfrmbridge.net.IpPacket;
import org.xfrmbridge.net.Ipv4;
import org.xfrmbridge.net.Udp;
import org.xfrmbridge.xfrm.Encapsulation;
import org.xfrmbridge.xfrm.IpProtocol;
import org.xfrmbridge.xfrm.StateSpec;

/** ESP, bare or in UDP. */
final class EspOutput extends OutboundTransform {
    private final EspTransform transform;
    private final EspLengths sizes;
    private final Encapsulation encapsulation;
    private final int udpBytes;
    /** What payloads are padded to: for traffic flow confidentiality, as far as that fits the way of this bundle. */
    private int leastBytes;

    EspOutput(EspTransform transform, StateSpec spec) {
        this.transform = transform;
        sizes = transform.sizes();
        encapsulation = spec.encapsulation();
        udpBytes = encapsulation == null ? 0 : Udp.HEADER_BYTES;
        // Unsigned, and more than a packet can hold means as much as it can.
        leastBytes = (int) Math.min(Integer.toUnsignedLong(spec.tfcPadBytes()), Ipv4.MAX_PACKET_BYTES);
    }

    @Override
    int headBytes() {
        return udpBytes + sizes.payloadOffset();
    }

    @Override
    int tailBytes() {
        return sizes.overheadBytes() + leastBytes;
    }

    @Override
    int maxPayloadFor(int roomBytes) {
        return sizes.maxPayloadFor(roomBytes - udpBytes);
    }

    @Override
    boolean isNumbered() {
        return true;
    }

    @Override
    void limitPadding(int innerMtu) {
        leastBytes = Math.min(leastBytes, Math.max(innerMtu, 0));
    }

    @Override
    DropCause seal(IpPacket packet, int nextHeader, long number) {
        int espAt = packet.payload - sizes.payloadOffset();
        int espBytes = transform.seal(packet.data(), espAt, packet.payloadBytes(), leastBytes, nextHeader, number);
        if (espBytes < 0) {
            return DropCause.OUT_SEAL_FAILED;
        }
        int protocol = encapsulation == null ? IpProtocol.ESP : IpProtocol.UDP;
        if (!packet.complete(protocol, espAt + espBytes)) {
            return DropCause.OUT_OVERLONG;
        }
        if (encapsulation != null) {
            UdpEncapsulation.write(packet, espAt, encapsulation);
        }
        return null;
    }
}
