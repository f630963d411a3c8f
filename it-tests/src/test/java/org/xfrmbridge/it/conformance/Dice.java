package org.xfrmbridge.it.conformance;

import java.util.List;
import java.util.Random;

/** Choices that are the same in every run with one seed. */
final class Dice {
    private static final int[] EDGES = {
        0, 1, 2, 3, 4, 7, 8, 31, 32, 33, 64, 0x7f, 0x80, 0xff, 0x100, 0xffff, 0x10000, 0x7fffffff, 0x80000000, -2, -1
    };

    /** Negative ones are far enough from the least number that some seconds change no sign. */
    private static final long[] EXTREMES = {
        1L << 31, 1L << 32, 1L << 62, Long.MAX_VALUE, Long.MIN_VALUE + (1L << 33), -2, -1
    };

    // java.util.Random, as its numbers are specified for good: recordings of other machines stay comparable.
    private final Random random;

    Dice(long seed) {
        random = new Random(seed);
    }

    /** True once in {@code n} throws. */
    boolean oneIn(int n) {
        return random.nextInt(n) == 0;
    }

    int below(int n) {
        return random.nextInt(n);
    }

    int pick(int... values) {
        return values[random.nextInt(values.length)];
    }

    @SafeVarargs
    final <T> T choose(T... values) {
        return values[random.nextInt(values.length)];
    }

    <T> T choose(List<T> values) {
        return values.get(random.nextInt(values.size()));
    }

    /** A number from where mistakes live. */
    int edge() {
        return pick(EDGES);
    }

    /** One of 64 bits that is far from what a clock or a counter gets to. */
    long extreme() {
        return EXTREMES[random.nextInt(EXTREMES.length)];
    }

    byte[] bytes(int length) {
        byte[] bytes = new byte[length];
        random.nextBytes(bytes);
        return bytes;
    }
}
