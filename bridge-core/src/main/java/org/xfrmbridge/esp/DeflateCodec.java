package org.xfrmbridge.esp;

import java.util.zip.DataFormatException;
import java.util.zip.Deflater;
import java.util.zip.Inflater;

/**
 * DEFLATE of single packets (RFC 2394): each begins afresh, so one codec serves all SAs of a thread, as a kernel has
 * one per CPU. Half a megabyte of native memory, taken with the first packet; {@link #close} gives it back.
 */
public final class DeflateCodec implements AutoCloseable {
    /** What a packet may grow to: the kernel's {@code IPCOMP_SCRATCH_SIZE}. */
    public static final int MAX_TEXT_BYTES = 65400;
    /** It would not get smaller, or is no DEFLATE of a packet. */
    public static final int IMPOSSIBLE = -1;

    private Deflater deflater;
    private Inflater inflater;
    private byte[] result;

    /** Where the last result is; its first bytes. Overwritten by the next call. */
    public byte[] result() {
        return result;
    }

    /** Compresses to at most {@code maxBytes}; returns how many it took, or {@link #IMPOSSIBLE}. */
    public int compress(byte[] data, int at, int bytes, int maxBytes) {
        if (deflater == null) {
            deflater = new Deflater(Deflater.DEFAULT_COMPRESSION, true);
        }
        if (maxBytes <= 0) {
            return IMPOSSIBLE;
        }
        makeResult();
        deflater.reset();
        deflater.setInput(data, at, bytes);
        deflater.finish();
        int compressed = deflater.deflate(result, 0, Math.min(maxBytes, result.length));
        return deflater.finished() ? compressed : IMPOSSIBLE;
    }

    /**
     * Decompresses what is one whole stream of at most {@link #MAX_TEXT_BYTES}; returns how many bytes came out, or
     * {@link #IMPOSSIBLE}.
     */
    public int decompress(byte[] data, int at, int bytes) {
        if (inflater == null) {
            inflater = new Inflater(true);
        }
        makeResult();
        inflater.reset();
        inflater.setInput(data, at, bytes);
        try {
            int text = inflater.inflate(result, 0, MAX_TEXT_BYTES);
            return inflater.finished() ? text : IMPOSSIBLE;
        } catch (DataFormatException e) {
            return IMPOSSIBLE;
        }
    }

    @Override
    public void close() {
        if (deflater != null) {
            deflater.end();
            deflater = null;
        }
        if (inflater != null) {
            inflater.end();
            inflater = null;
        }
    }

    private void makeResult() {
        if (result == null) {
            result = new byte[MAX_TEXT_BYTES];
        }
    }
}
