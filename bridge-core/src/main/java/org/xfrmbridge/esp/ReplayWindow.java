package org.xfrmbridge.esp;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;

/**
 * Anti-replay of one inbound SA with the kernel's semantics ({@code net/xfrm/xfrm_replay.c}), bit by bit, so that an
 * exported window is what a kernel would hold after the same packets. A window of 0 bits accepts everything and
 * remembers nothing.
 *
 * <p>A packet takes {@link #check} before its ICV is verified and {@link #advance} after. Both belong to the SA's one
 * datapath thread. {@link #snapshot} and the counters may be read by any thread: the writer brackets each change with
 * two increments of a version (odd while it writes) and a reader that saw it odd or moving reads again. The writer
 * never waits; there is no lock. To put other values into a live SA (NEWAE, UPDSA) build a new window and swap the
 * reference.
 */
public abstract sealed class ReplayWindow permits LegacyReplayWindow, BitmapReplayWindow {
    /** {@code XFRMA_REPLAY_ESN_MAX}. */
    public static final int MAX_WINDOW_BITS = 4096;

    private static final VarHandle VERSION = handle("version");
    private static final VarHandle REPLAYED = handle("replayed");
    private static final VarHandle OUTSIDE = handle("outside");

    final int windowBits;

    private int version;
    private int replayed;
    private int outside;

    ReplayWindow(int windowBits) {
        this.windowBits = windowBits;
    }

    /**
     * The window of {@code struct xfrm_replay_state}: bit n of the one bitmap word is the number {@code seq - n}.
     *
     * @param windowBits {@code replay_window}; more than 32 counts as 32
     */
    public static ReplayWindow legacy(int windowBits, ReplaySnapshot initial) {
        return new LegacyReplayWindow(Math.clamp(windowBits, 0, Integer.SIZE), initial);
    }

    /**
     * The window of {@code struct xfrm_replay_state_esn}: a ring of {@code windowBits} bits.
     *
     * @param initial its bitmap decides how many words are kept and exported; they must hold the window
     * @throws IllegalArgumentException where the kernel answers EINVAL
     */
    public static ReplayWindow bitmap(int windowBits, SequenceWidth width, ReplaySnapshot initial) {
        int words = initial.bitmap().length;
        if (windowBits < 0 || windowBits > MAX_WINDOW_BITS || windowBits > words * Integer.SIZE) {
            throw new IllegalArgumentException("replay window of " + windowBits + " bits in " + words + " words");
        }
        if (width == SequenceWidth.SHORT) {
            return new BitmapReplayWindow(windowBits, initial);
        }
        if (windowBits == 0) {
            throw new IllegalArgumentException("an extended sequence number cannot be inferred without a window");
        }
        return new ExtendedReplayWindow(windowBits, initial);
    }

    public final int windowBits() {
        return windowBits;
    }

    /**
     * Whether this number may be new; changes only the counters.
     *
     * @param sequence the 32 bits in the packet
     */
    public final ReplayVerdict check(int sequence) {
        ReplayVerdict verdict = windowBits == 0 ? ReplayVerdict.NEW : verdict(sequence);
        count(verdict);
        return verdict;
    }

    /**
     * The number that the sender counted: the 32 bits themselves, or with ESN the 64 bits they must stand for (RFC 4303
     * appendix A2). Needed for the ICV, hence asked before it is known to be right.
     */
    public long infer(int sequence) {
        return Integer.toUnsignedLong(sequence);
    }

    /**
     * Checks again, as packets may have arrived in between, and marks the number as seen. Only after the ICV was found
     * right.
     *
     * @param sequence as {@link #infer} returned it
     */
    public final ReplayVerdict advance(long sequence) {
        if (windowBits == 0) {
            return ReplayVerdict.NEW;
        }
        ReplayVerdict verdict = infer((int) sequence) == sequence ? verdict((int) sequence) : ReplayVerdict.OUTSIDE;
        if (verdict == ReplayVerdict.NEW) {
            VERSION.setOpaque(this, version + 1);
            VarHandle.storeStoreFence();
            try {
                mark((int) sequence);
            } finally {
                // After a fault, too: readers wait for it.
                VERSION.setRelease(this, version + 1);
            }
        } else {
            count(verdict);
        }
        return verdict;
    }

    /** What GETSA and GETAE export; consistent. Any thread. */
    public final ReplaySnapshot snapshot() {
        while (true) {
            int before = (int) VERSION.getAcquire(this);
            ReplaySnapshot snapshot = read();
            VarHandle.loadLoadFence();
            if ((before & 1) == 0 && before == (int) VERSION.getOpaque(this)) {
                return snapshot;
            }
            Thread.onSpinWait();
        }
    }

    /** {@code xfrm_stats.replay}: packets refused since seen before. Any thread. */
    public final int replayed() {
        return (int) REPLAYED.getOpaque(this);
    }

    /** {@code xfrm_stats.replay_window}: packets refused since left of the window. Any thread. */
    public final int outside() {
        return (int) OUTSIDE.getOpaque(this);
    }

    abstract ReplayVerdict verdict(int sequence);

    /** Sets the bit of a number that {@link #verdict} called new. */
    abstract void mark(int sequence);

    abstract ReplaySnapshot read();

    private void count(ReplayVerdict verdict) {
        switch (verdict) {
            case REPLAYED -> REPLAYED.setOpaque(this, replayed + 1);
            case OUTSIDE -> OUTSIDE.setOpaque(this, outside + 1);
            case NEW, ZERO -> {}
        }
    }

    private static VarHandle handle(String field) {
        try {
            return MethodHandles.lookup().findVarHandle(ReplayWindow.class, field, int.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }
}
