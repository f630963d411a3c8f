package org.xfrmbridge.daemon.port;

import java.nio.ByteBuffer;
import org.xfrmbridge.daemon.os.TapDevice;
import org.xfrmbridge.io.PacketBatch;
import org.xfrmbridge.io.PacketBuffer;
import org.xfrmbridge.io.PacketBuffer.Origin;
import org.xfrmbridge.io.PacketPool;
import org.xfrmbridge.offload.Segmentation;

/** Reads a TAP; finishes and cuts what the kernel left to the device. One thread. */
final class TapInput {
    private final TapDevice.Channel channel;
    private final int virtioBytes;
    private final Origin origin;

    /** @param origin of what is read */
    TapInput(TapDevice device, int queue, Origin origin) {
        this.origin = origin;
        channel = device.new Channel(queue);
        virtioBytes = device.offload() == TapDevice.Offload.SUPER_FRAMES ? TapDevice.VIRTIO_HEADER_BYTES : 0;
    }

    /** Takes one frame from the device, which may yield many; false if there is none. */
    boolean read(PacketPool pool, PacketBatch into) {
        int first = into.size();
        boolean isRead = readFrames(pool, into);
        for (int i = first; i < into.size(); i++) {
            into.get(i).origin = origin;
        }
        return isRead;
    }

    private boolean readFrames(PacketPool pool, PacketBatch into) {
        int bytes = channel.read();
        int frameBytes = bytes - virtioBytes;
        if (frameBytes <= 0) {
            return false;
        }
        // Limited still, if the frame before has shown a fault.
        ByteBuffer buffer = channel.buffer().clear();
        byte type = virtioBytes == 0 ? VirtioHeader.GSO_NONE : buffer.get(VirtioHeader.GSO_TYPE);
        if (type != VirtioHeader.GSO_NONE) {
            cut(buffer.limit(bytes), type, pool, into);
            return true;
        }
        PacketBuffer packet = pool.take();
        packet.ensureCapacity(frameBytes);
        buffer.get(virtioBytes, packet.data, packet.offset, frameBytes);
        packet.length = frameBytes;
        if (virtioBytes != 0 && (buffer.get(VirtioHeader.FLAGS) & VirtioHeader.NEEDS_CHECKSUM) != 0) {
            Segmentation.finishChecksum(
                    packet,
                    Short.toUnsignedInt(buffer.getShort(VirtioHeader.CHECKSUM_START)),
                    Short.toUnsignedInt(buffer.getShort(VirtioHeader.CHECKSUM_OFFSET)));
        }
        into.add(packet);
        return true;
    }

    private void cut(ByteBuffer buffer, byte type, PacketPool pool, PacketBatch into) {
        int start = Short.toUnsignedInt(buffer.getShort(VirtioHeader.CHECKSUM_START));
        int pieceBytes = Short.toUnsignedInt(buffer.getShort(VirtioHeader.GSO_SIZE));
        if (type == VirtioHeader.GSO_UDP_L4) {
            Segmentation.cutDatagrams(buffer, virtioBytes, start, pieceBytes, pool, into);
        } else {
            Segmentation.cutStream(buffer, virtioBytes, start, pieceBytes, pool, into);
        }
    }
}
