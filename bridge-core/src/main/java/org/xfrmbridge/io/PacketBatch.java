package org.xfrmbridge.io;

/** Frames that travel together from port to port. Confined to one thread; grows as needed and keeps its size. */
public final class PacketBatch {
    private PacketBuffer[] packets;
    private int size;

    public PacketBatch(int expectedPackets) {
        packets = new PacketBuffer[expectedPackets];
    }

    public void add(PacketBuffer packet) {
        if (size == packets.length) {
            packets = java.util.Arrays.copyOf(packets, 2 * size);
        }
        packets[size++] = packet;
    }

    public PacketBuffer get(int index) {
        return packets[index];
    }

    public int size() {
        return size;
    }

    public boolean isEmpty() {
        return size == 0;
    }

    /** Forgets the frames without giving them back: for a batch whose frames moved on. */
    public void clear() {
        size = 0;
    }

    /** Forgets the frames from an index on, without giving them back. */
    public void truncate(int newSize) {
        while (size > newSize) {
            packets[--size] = null;
        }
    }

    /** Gives all frames back to their pool. */
    public void releaseTo(PacketPool pool) {
        for (int i = 0; i < size; i++) {
            pool.give(packets[i]);
            packets[i] = null;
        }
        size = 0;
    }
}
