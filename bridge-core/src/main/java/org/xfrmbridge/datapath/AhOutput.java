package org.xfrmbridge.datapath;

import java.util.Arrays;
import org.xfrmbridge.esp.AhTransform;
import org.xfrmbridge.net.Ah;
import org.xfrmbridge.net.Bytes;
import org.xfrmbridge.net.IpPacket;
import org.xfrmbridge.xfrm.AddressFamily;
import org.xfrmbridge.xfrm.IpProtocol;
import org.xfrmbridge.xfrm.StateFlags;
import org.xfrmbridge.xfrm.StateSpec;

/** AH (RFC 4302): the ICV is over the packet from its IP header on, so all else is in place before. */
final class AhOutput extends OutboundTransform {
    private final AhTransform transform;
    private final MutableFields fields = new MutableFields();
    private final int spi;
    private final int ahBytes;

    AhOutput(AhTransform transform, int icvBytes, StateSpec spec) {
        this.transform = transform;
        spi = spec.id().spi();
        ahBytes = headerBytes(icvBytes, spec);
    }

    /** Padded to eight bytes, or to four where an IPv4 State says so: {@code XFRM_STATE_ALIGN4}. */
    static int headerBytes(int icvBytes, StateSpec spec) {
        int unit = spec.family() == AddressFamily.INET && spec.hasFlag(StateFlags.ALIGN4) ? 4 : 8;
        return Ah.FIXED_BYTES + icvBytes + unit - 1 & -unit;
    }

    @Override
    int headBytes() {
        return ahBytes;
    }

    @Override
    int tailBytes() {
        return transform.tailBytes();
    }

    @Override
    int maxPayloadFor(int roomBytes) {
        return roomBytes - ahBytes;
    }

    @Override
    boolean isNumbered() {
        return true;
    }

    @Override
    DropCause seal(IpPacket packet, int nextHeader, long number) {
        byte[] data = packet.data();
        int ah = packet.payload - ahBytes;
        Arrays.fill(data, ah, packet.payload, (byte) 0);
        Bytes.putU8(data, ah + Ah.NEXT_HEADER, nextHeader);
        Bytes.putU8(data, ah + Ah.LENGTH, ahBytes / 4 - 2);
        Bytes.putI32(data, ah + Ah.SPI, spi);
        Bytes.putI32(data, ah + Ah.SEQUENCE, (int) number);
        if (!packet.complete(IpProtocol.AH, packet.end())) {
            return DropCause.OUT_OVERLONG;
        }
        boolean clear = fields.clearForSending(packet, ah);
        boolean signed = clear && transform.sign(data, packet.offset, packet.end(), ah + Ah.ICV, number) == 0;
        fields.restore(packet);
        return signed ? null : DropCause.OUT_SEAL_FAILED;
    }
}
