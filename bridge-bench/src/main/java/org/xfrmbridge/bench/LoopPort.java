package org.xfrmbridge.bench;

import java.util.Arrays;
import org.xfrmbridge.io.BusyPort;
import org.xfrmbridge.io.PacketBatch;
import org.xfrmbridge.io.PacketBuffer;
import org.xfrmbridge.io.PacketPool;

/**
 * A port that yields the same frames again and again, copied as a device would, and remembers the last frame sent to
 * it.
 */
final class LoopPort implements BusyPort {
    private final byte[][] frames;
    private byte[] sent = {};

    LoopPort(byte[]... frames) {
        this.frames = frames;
    }

    @Override
    public void receive(PacketPool pool, PacketBatch into) {
        for (byte[] frame : frames) {
            PacketBuffer packet = pool.take();
            packet.ensureCapacity(frame.length);
            System.arraycopy(frame, 0, packet.data, packet.offset, frame.length);
            packet.length = frame.length;
            into.add(packet);
        }
    }

    @Override
    public void send(PacketBatch batch) {
        PacketBuffer last = batch.get(batch.size() - 1);
        if (sent.length != last.length) {
            sent = new byte[last.length];
        }
        System.arraycopy(last.data, last.offset, sent, 0, last.length);
    }

    byte[] lastSent() {
        return Arrays.copyOf(sent, sent.length);
    }
}
