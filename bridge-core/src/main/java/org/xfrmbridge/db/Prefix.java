package org.xfrmbridge.db;

/** Leading bits of 128-bit addresses, each given as its high and low half; IPv4 addresses are the first 32 bits. */
final class Prefix {
    private Prefix() {}

    /** How many leading bits are the same, 128 at most. */
    static int common(long highDifference, long lowDifference) {
        return highDifference != 0
                ? Long.numberOfLeadingZeros(highDifference)
                : Long.SIZE + Long.numberOfLeadingZeros(lowDifference);
    }

    /** Whether the first {@code length} bits of a difference are 0. */
    static boolean isZero(long highDifference, long lowDifference, int length) {
        if (length <= Long.SIZE) {
            return (highDifference & highMask(length)) == 0;
        }
        return highDifference == 0 && (lowDifference & highMask(length - Long.SIZE)) == 0;
    }

    /** A mask of the first bits of a half, 0 to 64. */
    static long highMask(int length) {
        return length == 0 ? 0 : -1L << Long.SIZE - length;
    }

    static long high(long high, int length) {
        return high & highMask(Math.min(length, Long.SIZE));
    }

    static long low(long low, int length) {
        return length <= Long.SIZE ? 0 : low & highMask(length - Long.SIZE);
    }
}
