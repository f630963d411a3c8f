package org.xfrmbridge.daemon.port;

import java.nio.ByteBuffer;
import org.xfrmbridge.daemon.os.TapDevice;
import org.xfrmbridge.io.PacketBatch;
import org.xfrmbridge.io.PacketBuffer;
import org.xfrmbridge.offload.Coalescing;
import org.xfrmbridge.offload.DatagramCoalescing;
import org.xfrmbridge.offload.StreamCoalescing;

/**
 * Writes to a TAP. Segments of one TCP stream that follow each other go as one super-frame, and datagrams of one flow,
 * if the kernel takes such. One thread.
 */
final class TapOutput implements RunSender {
    private final TapDevice.Channel channel;
    private final StreamCoalescing streams;
    private final DatagramCoalescing datagrams;

    TapOutput(TapDevice device) {
        channel = device.new Channel();
        streams = device.offload() == TapDevice.Offload.SUPER_FRAMES ? new StreamCoalescing() : null;
        datagrams = device.carriesDatagrams() ? new DatagramCoalescing() : null;
    }

    @Override
    public int sendRun(PacketBatch batch, int at) {
        int frames = streams == null ? 1 : streams.run(batch, at);
        if (frames > 1) {
            byte type = streams.isIpv4() ? VirtioHeader.GSO_TCPV4 : VirtioHeader.GSO_TCPV6;
            writeSuperFrame(streams, type, batch, at, frames);
            return frames;
        }
        frames = datagrams == null ? 1 : datagrams.run(batch, at);
        if (frames > 1) {
            writeSuperFrame(datagrams, VirtioHeader.GSO_UDP_L4, batch, at, frames);
        } else if (streams == null) {
            writeFrame(batch.get(at), 0);
        } else {
            channel.buffer().putLong(0, 0).putShort(8, (short) 0);
            writeFrame(batch.get(at), TapDevice.VIRTIO_HEADER_BYTES);
        }
        return frames;
    }

    private void writeFrame(PacketBuffer packet, int at) {
        if (packet.length <= TapDevice.MAX_FRAME_BYTES) {
            channel.buffer().put(at, packet.data, packet.offset, packet.length);
            channel.write(at + packet.length);
        }
    }

    private void writeSuperFrame(Coalescing of, byte type, PacketBatch batch, int from, int frames) {
        ByteBuffer buffer = channel.buffer();
        int headerBytes = of.headerBytes();
        buffer.put(VirtioHeader.FLAGS, (byte) VirtioHeader.NEEDS_CHECKSUM)
                .put(VirtioHeader.GSO_TYPE, type)
                .putShort(VirtioHeader.HEADER_LENGTH, (short) headerBytes)
                .putShort(VirtioHeader.GSO_SIZE, (short) of.segmentBytes())
                .putShort(VirtioHeader.CHECKSUM_START, (short) of.transportStart())
                .putShort(VirtioHeader.CHECKSUM_OFFSET, (short) of.checksumOffset());
        int at = TapDevice.VIRTIO_HEADER_BYTES;
        buffer.put(at, of.header(), 0, headerBytes);
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
