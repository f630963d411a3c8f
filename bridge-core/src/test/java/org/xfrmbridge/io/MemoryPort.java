package org.xfrmbridge.io;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** One end of a wire in memory: what is sent here is received at the other end, copied. Not for several threads. */
public final class MemoryPort implements PacketPort {
    private final ArrayDeque<byte[]> arrived = new ArrayDeque<>();
    private MemoryPort peer;
    private boolean closed;

    private MemoryPort() {}

    /** Both ends of a new wire. */
    public static MemoryPort[] wire() {
        MemoryPort one = new MemoryPort();
        MemoryPort other = new MemoryPort();
        one.peer = other;
        other.peer = one;
        return new MemoryPort[] {one, other};
    }

    @Override
    public void receive(PacketPool pool, PacketBatch into) {
        while (!arrived.isEmpty()) {
            byte[] frame = arrived.poll();
            PacketBuffer packet = pool.take();
            packet.ensureCapacity(frame.length);
            System.arraycopy(frame, 0, packet.data, packet.offset, frame.length);
            packet.length = frame.length;
            into.add(packet);
        }
    }

    @Override
    public void send(PacketBatch batch) {
        for (int i = 0; i < batch.size(); i++) {
            PacketBuffer packet = batch.get(i);
            peer.arrived.add(Arrays.copyOfRange(packet.data, packet.offset, packet.offset + packet.length));
        }
    }

    /** Sends a single frame. */
    public void send(byte[] frame) {
        peer.arrived.add(frame.clone());
    }

    /** Takes all frames that have arrived. */
    public List<byte[]> drain() {
        List<byte[]> frames = new ArrayList<>(arrived);
        arrived.clear();
        return frames;
    }

    @Override
    public boolean await(int timeoutMs) {
        return !closed;
    }

    @Override
    public void wake() {}

    @Override
    public void close() {
        closed = true;
    }
}
