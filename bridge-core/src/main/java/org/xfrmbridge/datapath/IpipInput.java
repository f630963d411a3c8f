package org.xfrmbridge.datapath;

import org.xfrmbridge.net.IpPacket;

/** IP in IP: only the mode has something to take off. */
final class IpipInput extends InboundTransform {
    @Override
    int open(IpPacket packet, ModeInput.Opened opened, long number) {
        opened.nextHeader = packet.protocol;
        opened.payloadAt = packet.payload;
        opened.payloadBytes = packet.payloadBytes();
        return OPENED;
    }

    @Override
    int maxPayloadFor(int roomBytes) {
        return roomBytes;
    }
}
