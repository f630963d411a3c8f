package org.xfrmbridge.xfrm;

import java.util.Arrays;

/**
 * A snapshot of sequence numbers as clients give and get them: {@code struct xfrm_replay_state} when
 * {@link #windowBits} is 0 and the bitmap has one word, else {@code struct xfrm_replay_state_esn}. All numbers
 * unsigned; bitmap words as the kernel keeps them.
 */
public record ReplayState(int oseq, int seq, int oseqHigh, int seqHigh, int windowBits, int[] bitmap) {
    public static final ReplayState INITIAL = new ReplayState(0, 0, 0, 0, 0, new int[1]);

    @Override
    public boolean equals(Object other) {
        return other instanceof ReplayState that
                && oseq == that.oseq
                && seq == that.seq
                && oseqHigh == that.oseqHigh
                && seqHigh == that.seqHigh
                && windowBits == that.windowBits
                && Arrays.equals(bitmap, that.bitmap);
    }

    @Override
    public int hashCode() {
        return ((oseq * 31 + seq) * 31 + oseqHigh) * 31 + seqHigh;
    }
}
