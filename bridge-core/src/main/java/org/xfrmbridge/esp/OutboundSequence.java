package org.xfrmbridge.esp;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;

/**
 * The sequence numbers of one outbound SA ({@code xfrm_replay_overflow} and its siblings). {@link #next} belongs to the
 * SA's datapath thread; everyone may read. Both halves live in one long, so a reader never sees them apart.
 */
public final class OutboundSequence {
    /** What happens after the last number. */
    public enum Overflow {
        /** No packet is sent any more. */
        REFUSE,
        /** {@code XFRM_SA_XFLAG_OSEQ_MAY_WRAP}: 32-bit numbers start again at 0. Without effect on extended ones. */
        WRAP
    }

    private static final long LOW = 0xffff_ffffL;
    private static final VarHandle LAST;

    static {
        try {
            LAST = MethodHandles.lookup().findVarHandle(OutboundSequence.class, "last", long.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    private final long max;
    private final boolean mayWrap;
    private long last;

    /**
     * @param oseq last number used, low half
     * @param oseqHigh its high half, ignored unless extended
     */
    public OutboundSequence(SequenceWidth width, Overflow overflow, int oseq, int oseqHigh) {
        boolean extended = width == SequenceWidth.EXTENDED;
        max = extended ? -1L : LOW;
        mayWrap = !extended && overflow == Overflow.WRAP;
        last = (extended ? (long) oseqHigh << 32 : 0) | Integer.toUnsignedLong(oseq);
    }

    /**
     * Takes the next number, to be had from {@link #last}; false when there is none, and the packet is a
     * {@code XfrmOutStateSeqError}.
     */
    public boolean next() {
        if (last == max && !mayWrap) {
            return false;
        }
        LAST.setOpaque(this, (last + 1) & max);
        return true;
    }

    /** The number used last: unsigned, 32 or 64 bits. */
    public long last() {
        return (long) LAST.getOpaque(this);
    }

    /** Low half, as exported in {@code oseq}. */
    public int oseq() {
        return (int) last();
    }

    /** High half, as exported in {@code oseq_hi}. */
    public int oseqHigh() {
        return (int) (last() >>> 32);
    }
}
