package org.xfrmbridge.db;

/**
 * What all tables have in common: the mixing steps (multiply, then fold the high half, which alone depends on every
 * bit, onto the low one), and their lengths.
 */
final class Hashing {
    private static final long FACTOR = 0x9E3779B97F4A7C15L;

    static final int LEAST_LENGTH = 32;

    /** Making tables anew was a sixth of adding 100,000 policies; longer ones are worth the memory that is saved. */
    private static final int LONG = 1 << 18;

    /**
     * Doubled, too: so a thousand entries fill their table as far as a million do, and 100,000 come to one of their own
     * length in seven steps.
     */
    private static final int OF_A_THOUSAND = 1 << 11;

    private Hashing() {}

    /**
     * The length of a table that is made for so many entries, at most half full: 32, 128, 512, 2048, 4096, 16384,
     * 65536, 262144, and doubled from there.
     */
    static int length(int entries) {
        int length = LEAST_LENGTH;
        while (length < 2L * entries) {
            length *= length == OF_A_THOUSAND || length >= LONG ? 2 : 4;
        }
        return length;
    }

    /** Whether a table needs to be made anew before one more of its slots is occupied. */
    static boolean isFull(int occupied, int length) {
        return 3 * (occupied + 1) > 2 * length;
    }

    /** Whether a table is worth being made anew as so few entries are left. */
    static boolean isSparse(int live, int length) {
        return length > LEAST_LENGTH && 16 * live < length;
    }

    static long mix(long hash, long value) {
        long product = (hash ^ value) * FACTOR;
        return product ^ product >>> 32;
    }

    static int fold(long hash) {
        long product = hash * FACTOR;
        return (int) (product >>> 32);
    }

    static int hash(long first, long second) {
        return fold(mix(mix(0, first), second));
    }
}
