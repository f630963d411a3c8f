package org.xfrmbridge.netlink.msg;

import java.nio.ByteBuffer;
import org.xfrmbridge.xfrm.ReplayState;

/** {@code struct xfrm_replay_state} and {@code struct xfrm_replay_state_esn}. Buffers are in native order. */
public final class ReplayStructs {
    public static final int REPLAY_BYTES = 12;

    /** Without the bitmap. */
    public static final int REPLAY_ESN_BYTES = 24;

    /** Longest bitmap, in words: XFRMA_REPLAY_ESN_MAX bits. */
    public static final int MAX_BITMAP_WORDS = 4096 / 32;

    private ReplayStructs() {}

    public static ReplayState readReplay(ByteBuffer in) {
        int oseq = in.getInt();
        int seq = in.getInt();
        return new ReplayState(oseq, seq, 0, 0, 0, new int[] {in.getInt()});
    }

    public static void writeReplay(ByteBuffer out, ReplayState replay) {
        out.putInt(replay.oseq()).putInt(replay.seq()).putInt(replay.bitmap()[0]);
    }

    /** Number of bitmap words the structure says it has, unsigned. */
    public static int bitmapWords(ByteBuffer in) {
        return in.getInt(0);
    }

    /**
     * Reads from position 0; a bitmap that is not there is zero.
     *
     * @param in with at most {@link #MAX_BITMAP_WORDS} announced, which the caller checked
     */
    public static ReplayState readReplayEsn(ByteBuffer in) {
        int[] bitmap = new int[bitmapWords(in)];
        if (in.limit() >= REPLAY_ESN_BYTES + 4 * bitmap.length) {
            in.slice(REPLAY_ESN_BYTES, 4 * bitmap.length)
                    .order(in.order())
                    .asIntBuffer()
                    .get(bitmap);
        }
        return new ReplayState(in.getInt(4), in.getInt(8), in.getInt(12), in.getInt(16), in.getInt(20), bitmap);
    }

    public static int replayEsnBytes(ReplayState replay) {
        return REPLAY_ESN_BYTES + 4 * replay.bitmap().length;
    }

    public static void writeReplayEsn(ByteBuffer out, ReplayState replay) {
        out.putInt(replay.bitmap().length);
        out.putInt(replay.oseq()).putInt(replay.seq());
        out.putInt(replay.oseqHigh()).putInt(replay.seqHigh());
        out.putInt(replay.windowBits());
        for (int word : replay.bitmap()) {
            out.putInt(word);
        }
    }
}
