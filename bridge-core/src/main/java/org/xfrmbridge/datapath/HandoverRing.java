package org.xfrmbridge.datapath;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import org.xfrmbridge.io.PacketBatch;
import org.xfrmbridge.io.PacketBuffer;
import org.xfrmbridge.io.PacketPool;

/**
 * Frames that one datapath thread hands over to another, in order: a bounded ring with one thread at each end. For each
 * frame the taker leaves an empty buffer of its own, which the giver takes back, so that neither's pool runs out.
 *
 * <pre>
 *      reclaimed       taken          given
 *          | empty buffers | frames     |
 * </pre>
 */
final class HandoverRing {
    /** A power of two: some batches of full super-frames. */
    static final int SLOTS = 1024;

    private static final int MASK = SLOTS - 1;
    private static final VarHandle INT = MethodHandles.arrayElementVarHandle(int[].class);

    // Places in the array of counts: what one end writes lies in a line of its own.
    private static final int COUNTS = 64;
    private static final int GIVEN = 16;
    private static final int TAKEN = 40;

    private final PacketBuffer[] frames = new PacketBuffer[SLOTS];
    private final int[] counts = new int[COUNTS];
    private int reclaimed;

    /** The giver: for how many frames there is room. */
    int room() {
        return SLOTS - (counts[GIVEN] - reclaimed);
    }

    /** The giver: false if there is no room. */
    boolean give(PacketBuffer frame) {
        if (room() == 0) {
            return false;
        }
        int given = counts[GIVEN];
        frames[given & MASK] = frame;
        INT.setRelease(counts, GIVEN, given + 1);
        return true;
    }

    /** The giver: takes back the buffers that were left for it. */
    void reclaim(PacketPool pool) {
        int until = (int) INT.getAcquire(counts, TAKEN);
        for (; reclaimed != until; reclaimed++) {
            int slot = reclaimed & MASK;
            pool.give(frames[slot]);
            frames[slot] = null;
        }
    }

    /** Whether nothing waits to be taken. Any thread. */
    boolean isEmpty() {
        return (int) INT.getAcquire(counts, GIVEN) == (int) INT.getAcquire(counts, TAKEN);
    }

    /** The taker: takes what waits, so many at most. When a fault is thrown, the frame that showed it is gone. */
    void take(PacketPool pool, PacketBatch into, int most) {
        int taken = counts[TAKEN];
        int until = taken + Math.min((int) INT.getAcquire(counts, GIVEN) - taken, most);
        for (; taken != until; taken++) {
            PacketBuffer empty = pool.take();
            PacketBuffer frame = frames[taken & MASK];
            frames[taken & MASK] = empty;
            INT.setRelease(counts, TAKEN, taken + 1);
            into.add(frame);
        }
    }
}
