package org.xfrmbridge.netlink.msg;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import org.xfrmbridge.xfrm.Algorithm;

/**
 * {@code struct xfrm_algo}, and {@code xfrm_algo_auth} and {@code xfrm_algo_aead}, which have an ICV length besides.
 * The key follows each. Buffers are in native order, read from position 0 and written from their position.
 */
public final class AlgorithmStructs {
    /** Without the key. */
    public static final int ALGO_BYTES = 68;

    /** The two with an ICV length, without the key. */
    public static final int ALGO_ICV_BYTES = 72;

    private static final int NAME_BYTES = 64;

    private AlgorithmStructs() {}

    /** Reads {@code struct xfrm_algo}; null if the key is longer than what is there. */
    public static Algorithm readAlgo(ByteBuffer in) {
        return read(in, 0, ALGO_BYTES);
    }

    /** Reads {@code struct xfrm_algo_auth} or {@code xfrm_algo_aead}; null if the key is longer than what is there. */
    public static Algorithm readAlgoWithIcv(ByteBuffer in) {
        return read(in, in.getInt(ALGO_BYTES), ALGO_ICV_BYTES);
    }

    private static Algorithm read(ByteBuffer in, int icvBits, int structBytes) {
        int keyBits = in.getInt(NAME_BYTES);
        if (keyBytes(keyBits) > in.limit() - structBytes) {
            return null;
        }
        byte[] key = new byte[(int) keyBytes(keyBits)];
        in.get(structBytes, key);
        return new Algorithm(readName(in), keyBits, icvBits, key);
    }

    private static String readName(ByteBuffer in) {
        int length = 0;
        while (length < NAME_BYTES - 1 && in.get(length) != 0) {
            length++;
        }
        byte[] name = new byte[length];
        in.get(0, name);
        return new String(name, StandardCharsets.ISO_8859_1);
    }

    private static long keyBytes(int keyBits) {
        return (Integer.toUnsignedLong(keyBits) + 7) / 8;
    }

    public static int algoBytes(Algorithm algorithm) {
        return ALGO_BYTES + algorithm.key().length;
    }

    public static int algoWithIcvBytes(Algorithm algorithm) {
        return ALGO_ICV_BYTES + algorithm.key().length;
    }

    public static void writeAlgo(ByteBuffer out, Algorithm algorithm) {
        writeName(out, algorithm.name());
        out.putInt(algorithm.keyBits()).put(algorithm.key());
    }

    public static void writeAlgoWithIcv(ByteBuffer out, Algorithm algorithm) {
        writeName(out, algorithm.name());
        out.putInt(algorithm.keyBits()).putInt(algorithm.icvBits()).put(algorithm.key());
    }

    /** What a kernel says of a compression algorithm: no key, whatever it was given. */
    public static void writeAlgoWithoutKey(ByteBuffer out, Algorithm algorithm) {
        writeName(out, algorithm.name());
        out.putInt(0);
    }

    private static void writeName(ByteBuffer out, String text) {
        byte[] name = text.getBytes(StandardCharsets.ISO_8859_1);
        out.put(name);
        Structs.pad(out, NAME_BYTES - name.length);
    }
}
