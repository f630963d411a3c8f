package org.xfrmbridge.datapath;

import java.util.Arrays;
import org.xfrmbridge.esp.DeflateCodec;
import org.xfrmbridge.io.PacketBuffer;
import org.xfrmbridge.net.Bytes;
import org.xfrmbridge.net.IpComp;
import org.xfrmbridge.net.IpPacket;

/**
 * IPComp. What comes out is bounded by the codec; as in a kernel it must be worth its header, or the packet is not from
 * a sane sender.
 */
final class CompressionInput extends InboundTransform {
    private final DeflateCodec codec;

    CompressionInput(DeflateCodec codec) {
        this.codec = codec;
    }

    @Override
    int open(IpPacket packet, ModeInput.Opened opened, long number) {
        int at = packet.payload;
        int compressed = packet.payloadBytes() - IpComp.HEADER_BYTES;
        opened.nextHeader = Bytes.u8(packet.data(), at + IpComp.NEXT_HEADER);
        int bytes = codec.decompress(packet.data(), at + IpComp.HEADER_BYTES, compressed);
        if (bytes < compressed + IpComp.HEADER_BYTES) {
            return MALFORMED;
        }
        int needed = at + bytes;
        if (packet.data().length < needed) {
            packet.buffer.data = Arrays.copyOf(packet.data(), needed + PacketBuffer.TAILROOM);
        }
        System.arraycopy(codec.result(), 0, packet.data(), at, bytes);
        opened.payloadAt = at;
        opened.payloadBytes = bytes;
        return OPENED;
    }

    @Override
    int maxPayloadFor(int roomBytes) {
        return roomBytes;
    }
}
