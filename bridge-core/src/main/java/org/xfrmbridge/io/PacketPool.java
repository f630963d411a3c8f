package org.xfrmbridge.io;

/**
 * A stack of free {@link PacketBuffer}s: the last one given back is the next taken, while its bytes are warm. One
 * thread only.
 */
public final class PacketPool {
    private final PacketBuffer[] free;
    private int count;

    /** @param maxPackets how many are kept; what is given back beyond them is the collector's */
    public PacketPool(int maxPackets) {
        free = new PacketBuffer[maxPackets];
    }

    /** A reset buffer; made anew when none is free. */
    public PacketBuffer take() {
        if (count == 0) {
            return new PacketBuffer();
        }
        PacketBuffer packet = free[--count];
        free[count] = null;
        packet.reset();
        return packet;
    }

    /** Takes a buffer back. Never fails. */
    public void give(PacketBuffer packet) {
        if (count < free.length) {
            free[count++] = packet;
        }
    }
}
