package org.xfrmbridge.db;

/** The mixing steps of all tables: multiply, then fold the high half, which alone depends on every bit, onto the low one. */
final class Hashing {
    private static final long FACTOR = 0x9E3779B97F4A7C15L;

    private Hashing() {}

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
