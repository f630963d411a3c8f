package org.xfrmbridge.esp;

/**
 * What a {@link ReplayWindow} says to a sequence number. All but {@link #NEW} are dropped as
 * {@code XfrmInStateSeqError}.
 */
public enum ReplayVerdict {
    NEW,
    /** Seen before. */
    REPLAYED,
    /** Left of the window, or, after decryption, in another 2^32 subspace than assumed before it. */
    OUTSIDE,
    /** Zero, which no sender uses before it has wrapped. */
    ZERO
}
