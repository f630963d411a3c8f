package org.xfrmbridge.datapath;

import org.xfrmbridge.esp.EspTransform;
import org.xfrmbridge.net.IpPacket;
import org.xfrmbridge.xfrm.IpProtocol;

/** ESP. */
final class EspInput extends InboundTransform {
    private final EspTransform transform;

    EspInput(EspTransform transform) {
        this.transform = transform;
    }

    @Override
    int open(IpPacket packet, ModeInput.Opened opened, long number) {
        int bytes = transform.open(packet.data(), packet.payload, packet.payloadBytes(), number);
        if (bytes < 0) {
            return bytes;
        }
        opened.payloadAt = packet.payload + transform.sizes().payloadOffset();
        opened.payloadBytes = bytes;
        opened.nextHeader = transform.nextHeader();
        // A dummy packet (RFC 4303 2.6) ends here, and a kernel counts it so.
        return opened.nextHeader == IpProtocol.NONE ? MALFORMED : OPENED;
    }

    @Override
    int maxPayloadFor(int roomBytes) {
        return transform.sizes().maxPayloadFor(roomBytes);
    }

    @Override
    void wipe() {
        transform.wipe();
    }
}
