package org.xfrmbridge.daemon.port;

import java.nio.ByteBuffer;
import org.xfrmbridge.daemon.os.TapDevice;
import org.xfrmbridge.offload.Coalescing;
import org.xfrmbridge.io.PacketBatch;
import org.xfrmbridge.io.PacketBuffer;
import org.xfrmbridge.net.Tcp;

/** Writes to a TAP; segments of one TCP stream that follow each other go as one super-frame. One thread. */
final class TapOutput {
    private final TapDevice.Channel channel;
    private final Coalescing coalescing;

    TapOutput(TapDevice device) {
        channel = device.new Channel();
        coalescing = device.offload() == TapDevice.Offload.TCP ? new Coalescing() : null;
    }

    void send(PacketBatch batch) {
        if (coalescing == null) {
            for (int i = 0; i < batch.size(); i++) {
                writeFrame(batch.get(i), 0);
            }
            return;
        }
        for (int i = 0; i < batch.size(); ) {
            int frames = coalescing.run(batch, i);
            if (frames == 1) {
                channel.buffer().putLong(0, 0).putShort(8, (short) 0);
                writeFrame(batch.get(i), TapDevice.VIRTIO_HEADER_BYTES);
            } else {
                writeSuperFrame(batch, i, frames);
            }
            i += frames;
        }
    }

    private void writeFrame(PacketBuffer packet, int at) {
        if (packet.length <= TapDevice.MAX_FRAME_BYTES) {
            channel.buffer().put(at, packet.data, packet.offset, packet.length);
            channel.write(at + packet.length);
        }
    }

    private void writeSuperFrame(PacketBatch batch, int from, int frames) {
        ByteBuffer buffer = channel.buffer();
        int headerBytes = coalescing.headerBytes();
        buffer.put(VirtioHeader.FLAGS, (byte) VirtioHeader.NEEDS_CHECKSUM)
                .put(VirtioHeader.GSO_TYPE, coalescing.isIpv4() ? VirtioHeader.GSO_TCPV4 : VirtioHeader.GSO_TCPV6)
                .putShort(VirtioHeader.HEADER_LENGTH, (short) headerBytes)
                .putShort(VirtioHeader.GSO_SIZE, (short) coalescing.segmentBytes())
                .putShort(VirtioHeader.CHECKSUM_START, (short) coalescing.tcpStart())
                .putShort(VirtioHeader.CHECKSUM_OFFSET, (short) Tcp.CHECKSUM);
        int at = TapDevice.VIRTIO_HEADER_BYTES;
        buffer.put(at, coalescing.header(), 0, headerBytes);
        at += headerBytes;
        for (int i = from; i < from + frames; i++) {
            PacketBuffer segment = batch.get(i);
            int payloadBytes = segment.length - headerBytes;
            buffer.put(at, segment.data, segment.offset + headerBytes, payloadBytes);
            at += payloadBytes;
        }
        channel.write(at);
    }
}
