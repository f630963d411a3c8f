package org.xfrmbridge.esp;

import java.util.Arrays;

/**
 * A ring of {@code windowBits} bits: number n has bit {@code (n - 1) mod windowBits}, whichever numbers are in the
 * window.
 *
 * <pre>
 *   ring   0 ...      p-1    p     p+1    ... windowBits-1
 *               seq-1   seq  seq-windowBits+1 ...              p = (seq - 1) mod windowBits
 * </pre>
 *
 * The position follows the low 32 bits alone, so a window that is no power of two would lose its place where those
 * wrap, and at the very first number. The kernel's does, and takes replays for new there; here the ring is turned to
 * where its numbers belong.
 */
sealed class BitmapReplayWindow extends ReplayWindow permits ExtendedReplayWindow {
    int seq;
    private final int[] bitmap;
    /** What the bitmap was before it is turned; null if it never is. */
    private final int[] before;

    BitmapReplayWindow(int windowBits, ReplaySnapshot initial) {
        super(windowBits);
        seq = initial.seq();
        bitmap = initial.bitmap().clone();
        before = Integer.bitCount(windowBits) == 1 ? null : new int[bitmap.length];
    }

    @Override
    ReplayVerdict verdict(int sequence) {
        if (sequence == 0) {
            return ReplayVerdict.ZERO;
        }
        return Integer.compareUnsigned(sequence, seq) > 0 ? ReplayVerdict.NEW : verdictBehind(seq - sequence);
    }

    @Override
    void mark(int sequence) {
        if (Integer.compareUnsigned(sequence, seq) > 0) {
            moveTo(sequence);
        } else {
            set(ringBehind(seq - sequence));
        }
    }

    @Override
    ReplaySnapshot read() {
        return new ReplaySnapshot(seq, 0, bitmap.clone());
    }

    /** @param behind how many numbers left of {@code seq}, unsigned */
    final ReplayVerdict verdictBehind(int behind) {
        if (Integer.compareUnsigned(behind, windowBits) >= 0) {
            return ReplayVerdict.OUTSIDE;
        }
        int ring = ringBehind(behind);
        return (bitmap[ring >>> 5] & (1 << ring)) != 0 ? ReplayVerdict.REPLAYED : ReplayVerdict.NEW;
    }

    /** Makes this number the window's right edge, forgetting what falls off the left, and marks it. */
    final void moveTo(int sequence) {
        int ahead = sequence - seq;
        int position = position();
        seq = sequence;
        if (Integer.compareUnsigned(ahead, windowBits) < 0) {
            for (int i = 1; i < ahead; i++) {
                clear((position + i) % windowBits);
            }
            turn(position() - (position + ahead) % windowBits);
        } else {
            Arrays.fill(bitmap, 0, ((windowBits - 1) >>> 5) + 1, 0);
        }
        set(position());
    }

    private void turn(int places) {
        if (places == 0) {
            return;
        }
        System.arraycopy(bitmap, 0, before, 0, bitmap.length);
        for (int ring = 0; ring < windowBits; ring++) {
            int turned = Math.floorMod(ring + places, windowBits);
            if ((before[ring >>> 5] & (1 << ring)) != 0) {
                set(turned);
            } else {
                clear(turned);
            }
        }
    }

    final int ringBehind(int behind) {
        int position = position();
        return position >= behind ? position - behind : windowBits - (behind - position);
    }

    final void set(int ring) {
        bitmap[ring >>> 5] |= 1 << ring;
    }

    private void clear(int ring) {
        bitmap[ring >>> 5] &= ~(1 << ring);
    }

    private int position() {
        return Integer.remainderUnsigned(seq - 1, windowBits);
    }
}
