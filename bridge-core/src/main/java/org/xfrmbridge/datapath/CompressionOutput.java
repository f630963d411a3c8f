package org.xfrmbridge.datapath;

import org.xfrmbridge.esp.DeflateCodec;
import org.xfrmbridge.net.Bytes;
import org.xfrmbridge.net.IpComp;
import org.xfrmbridge.net.IpPacket;
import org.xfrmbridge.xfrm.IpProtocol;

/** IPComp: a payload that would not get smaller goes out as it is, without a header (RFC 3173 2.2). */
final class CompressionOutput extends OutboundTransform {
    private final DeflateCodec codec;
    private final int thresholdBytes;
    private final int cpi;

    CompressionOutput(DeflateCodec codec, int thresholdBytes, int cpi) {
        this.codec = codec;
        this.thresholdBytes = thresholdBytes;
        this.cpi = cpi;
    }

    @Override
    int headBytes() {
        return 0;
    }

    @Override
    int tailBytes() {
        return 0;
    }

    /** Nobody knows before how short a packet gets. */
    @Override
    int maxPayloadFor(int roomBytes) {
        return roomBytes;
    }

    @Override
    boolean isNumbered() {
        return false;
    }

    @Override
    DropCause seal(IpPacket packet, int nextHeader, long number) {
        int bytes = packet.payloadBytes();
        int compressed = bytes < thresholdBytes
                ? DeflateCodec.IMPOSSIBLE
                : codec.compress(packet.data(), packet.payload, bytes, bytes - IpComp.HEADER_BYTES - 1);
        if (compressed == DeflateCodec.IMPOSSIBLE) {
            return packet.complete(nextHeader, packet.end()) ? null : DropCause.OUT_OVERLONG;
        }
        byte[] data = packet.data();
        int at = packet.payload;
        Bytes.putU8(data, at + IpComp.NEXT_HEADER, nextHeader);
        Bytes.putU8(data, at + IpComp.FLAGS, 0);
        Bytes.putU16(data, at + IpComp.CPI, cpi);
        System.arraycopy(codec.result(), 0, data, at + IpComp.HEADER_BYTES, compressed);
        packet.complete(IpProtocol.COMP, at + IpComp.HEADER_BYTES + compressed);
        return null;
    }
}
