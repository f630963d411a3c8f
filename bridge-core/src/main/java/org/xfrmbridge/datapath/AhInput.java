package org.xfrmbridge.datapath;

import java.util.Arrays;
import org.xfrmbridge.esp.AhSuite;
import org.xfrmbridge.esp.AhTransform;
import org.xfrmbridge.esp.SequenceWidth;
import org.xfrmbridge.net.Ah;
import org.xfrmbridge.net.Bytes;
import org.xfrmbridge.net.IpPacket;
import org.xfrmbridge.xfrm.StateSpec;

/** AH (RFC 4302). As in a kernel, the header may have room for the whole MAC where only a part of it is compared. */
final class AhInput extends InboundTransform {
    private final AhTransform transform;
    private final MutableFields fields = new MutableFields();
    private final int headerBytes;
    private final int longHeaderBytes;

    AhInput(AhSuite suite, SequenceWidth width, StateSpec spec) {
        transform = suite.transform(width);
        headerBytes = AhOutput.headerBytes(suite.icvBytes(), spec);
        longHeaderBytes = AhOutput.headerBytes(suite.fullIcvBytes(), spec);
    }

    @Override
    int open(IpPacket packet, ModeInput.Opened opened, long number) {
        int ah = packet.payload;
        int bytes = Ah.headerBytes(packet.data(), ah);
        if ((bytes != headerBytes && bytes != longHeaderBytes) || bytes > packet.payloadBytes()) {
            return MALFORMED;
        }
        opened.nextHeader = Bytes.u8(packet.data(), ah + Ah.NEXT_HEADER);
        opened.payloadAt = ah + bytes;
        opened.payloadBytes = packet.end() - opened.payloadAt;
        int needed = packet.end() + transform.tailBytes();
        if (packet.data().length < needed) {
            packet.buffer.data = Arrays.copyOf(packet.data(), needed);
        }
        if (!fields.clearReceived(packet, ah)) {
            return MALFORMED;
        }
        int result = transform.verify(packet.data(), packet.offset, packet.end(), ah + Ah.ICV, number);
        fields.restore(packet);
        return result;
    }

    @Override
    int maxPayloadFor(int roomBytes) {
        return roomBytes - headerBytes;
    }

    @Override
    void wipe() {
        transform.wipe();
    }
}
