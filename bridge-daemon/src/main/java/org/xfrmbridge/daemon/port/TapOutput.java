package org.xfrmbridge.daemon.port;

import java.nio.ByteBuffer;
import org.xfrmbridge.daemon.os.TapDevice;
import org.xfrmbridge.io.PacketBatch;
import org.xfrmbridge.io.PacketBuffer;
import org.xfrmbridge.offload.Coalescing;
import org.xfrmbridge.offload.DatagramCoalescing;
import org.xfrmbridge.offload.StreamCoalescing;

/** Writes to a TAP. Frames that follow each other go as one super-frame, if the kernel takes such. One thread. */
final class TapOutput implements RunSender {
    private final TapDevice.Channel channel;
    private final int virtioBytes;
    /** Null for none. */
    private final StreamCoalescing streams;

    private final DatagramCoalescing datagrams;

    private TapOutput(TapDevice device, StreamCoalescing streams, DatagramCoalescing datagrams) {
        channel = device.new Channel();
        virtioBytes = device.offload() == TapDevice.Offload.SUPER_FRAMES ? TapDevice.VIRTIO_HEADER_BYTES : 0;
        this.streams = streams;
        this.datagrams = datagrams;
    }

    /** To the machine's own stack: segments of one TCP stream, and datagrams of one flow. */
    static TapOutput toHost(TapDevice device) {
        return new TapOutput(
                device,
                device.offload() == TapDevice.Offload.SUPER_FRAMES ? new StreamCoalescing() : null,
                device.carriesDatagrams() ? DatagramCoalescing.ofAll() : null);
    }

    /**
     * To others: outer packets of one flow. All else goes as it came.
     *
     * @param mostFrames that the device on their way cuts
     * @param mostBytes that it cuts, the link header included
     */
    static TapOutput toNetwork(TapDevice device, int mostFrames, int mostBytes) {
        return new TapOutput(
                device,
                null,
                device.carriesDatagrams() ? DatagramCoalescing.ofOuterPackets(mostFrames, mostBytes) : null);
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
        } else {
            writeFrame(batch.get(at));
        }
        return frames;
    }

    private void writeFrame(PacketBuffer packet) {
        if (packet.length <= TapDevice.MAX_FRAME_BYTES) {
            if (virtioBytes != 0) {
                channel.buffer().putLong(0, 0).putShort(8, (short) 0);
            }
            channel.buffer().put(virtioBytes, packet.data, packet.offset, packet.length);
            channel.write(virtioBytes + packet.length);
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
