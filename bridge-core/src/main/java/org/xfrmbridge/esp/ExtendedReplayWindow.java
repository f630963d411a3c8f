package org.xfrmbridge.esp;

/**
 * The ring with 64-bit numbers of which a packet carries the low half. RFC 4303 appendix A2 infers the high half from
 * where the low one lies to the window, whose left edge is {@code bottom = seq - windowBits + 1}:
 *
 * <pre>
 *   case A, the window lies in one subspace          case B, it spans two
 *   0 .... bottom ##### seq .... 2^32-1              0 ### seq .... bottom ##### 2^32-1
 *   | high+1 |   high                                |    high     |   high-1
 * </pre>
 */
final class ExtendedReplayWindow extends BitmapReplayWindow {
    private int seqHigh;

    ExtendedReplayWindow(int windowBits, ReplaySnapshot initial) {
        super(windowBits, initial);
        seqHigh = initial.seqHigh();
    }

    @Override
    public long infer(int sequence) {
        boolean leftOfBottom = Integer.compareUnsigned(sequence, bottom()) < 0;
        int high = seqHigh;
        if (inOneSubspace()) {
            high += leftOfBottom ? 1 : 0;
        } else {
            high -= leftOfBottom ? 0 : 1;
        }
        return (long) high << 32 | Integer.toUnsignedLong(sequence);
    }

    @Override
    ReplayVerdict verdict(int sequence) {
        if (sequence == 0 && seqHigh == 0 && !inOneSubspace()) {
            return ReplayVerdict.ZERO;
        }
        boolean rightOfTop = Integer.compareUnsigned(sequence, seq) > 0;
        boolean leftOfBottom = Integer.compareUnsigned(sequence, bottom()) < 0;
        boolean right = inOneSubspace() ? rightOfTop || leftOfBottom : rightOfTop && leftOfBottom;
        return right ? ReplayVerdict.NEW : verdictBehind(seq - sequence);
    }

    @Override
    void mark(int sequence) {
        int high = (int) (infer(sequence) >>> 32);
        int wrapped = high - seqHigh;
        if (wrapped > 0 || (wrapped == 0 && Integer.compareUnsigned(sequence, seq) > 0)) {
            moveTo(sequence);
            seqHigh = high;
        } else {
            set(ringBehind(seq - sequence));
        }
    }

    @Override
    ReplaySnapshot read() {
        ReplaySnapshot low = super.read();
        return new ReplaySnapshot(low.seq(), seqHigh, low.bitmap());
    }

    private boolean inOneSubspace() {
        return Integer.compareUnsigned(seq, windowBits - 1) >= 0;
    }

    private int bottom() {
        return seq - windowBits + 1;
    }
}
