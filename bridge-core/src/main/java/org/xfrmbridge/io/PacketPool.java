package org.xfrmbridge.io;

import java.util.Arrays;

/** A stack of free {@link PacketBuffer}s: the last one given back is the next taken, while its bytes are warm. One thread only. */
public final class PacketPool {
    private PacketBuffer[] free;
    private int count;

    public PacketPool(int expectedPackets) {
        free = new PacketBuffer[expectedPackets];
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

    public void give(PacketBuffer packet) {
        if (count == free.length) {
            free = Arrays.copyOf(free, 2 * count + 1);
        }
        free[count++] = packet;
    }
}
