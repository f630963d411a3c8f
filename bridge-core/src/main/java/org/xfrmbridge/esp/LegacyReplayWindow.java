package org.xfrmbridge.esp;

/**
 * Up to 32 bits that move with the number: bit 0 is {@code seq}, the highest number seen.
 *
 * <pre>
 *   bit     31 ... 2     1     0
 *        seq-31 ... seq-2 seq-1 seq
 * </pre>
 */
final class LegacyReplayWindow extends ReplayWindow {
    private int seq;
    private int bitmap;

    LegacyReplayWindow(int windowBits, ReplaySnapshot initial) {
        super(windowBits);
        seq = initial.seq();
        bitmap = initial.bitmap()[0];
    }

    @Override
    ReplayVerdict verdict(int sequence) {
        if (sequence == 0) {
            return ReplayVerdict.ZERO;
        }
        if (Integer.compareUnsigned(sequence, seq) > 0) {
            return ReplayVerdict.NEW;
        }
        int behind = seq - sequence;
        if (Integer.compareUnsigned(behind, windowBits) >= 0) {
            return ReplayVerdict.OUTSIDE;
        }
        return (bitmap & (1 << behind)) != 0 ? ReplayVerdict.REPLAYED : ReplayVerdict.NEW;
    }

    @Override
    void mark(int sequence) {
        if (Integer.compareUnsigned(sequence, seq) > 0) {
            int ahead = sequence - seq;
            bitmap = Integer.compareUnsigned(ahead, windowBits) < 0 ? bitmap << ahead | 1 : 1;
            seq = sequence;
        } else {
            bitmap |= 1 << (seq - sequence);
        }
    }

    @Override
    ReplaySnapshot read() {
        return new ReplaySnapshot(seq, 0, new int[] {bitmap});
    }
}
