package org.xfrmbridge.esp;

import java.util.Arrays;

/**
 * The inbound half of {@code struct xfrm_replay_state} (one bitmap word, no {@code seqHigh}) or {@code struct
 * xfrm_replay_state_esn}.
 *
 * @param seq highest number seen, unsigned
 * @param seqHigh its upper 32 bits, 0 without ESN
 * @param bitmap words as the kernel keeps them, not copied
 */
public record ReplaySnapshot(int seq, int seqHigh, int[] bitmap) {

    /** Nothing seen yet. */
    public static ReplaySnapshot fresh(int bitmapWords) {
        return new ReplaySnapshot(0, 0, new int[bitmapWords]);
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof ReplaySnapshot that
                && seq == that.seq
                && seqHigh == that.seqHigh
                && Arrays.equals(bitmap, that.bitmap);
    }

    @Override
    public int hashCode() {
        return 31 * (31 * seq + seqHigh) + Arrays.hashCode(bitmap);
    }

    @Override
    public String toString() {
        return "ReplaySnapshot[" + Integer.toUnsignedString(seqHigh) + ":" + Integer.toUnsignedString(seq) + " "
                + Arrays.toString(bitmap) + "]";
    }
}
