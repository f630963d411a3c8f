package org.xfrmbridge.km;

/** Arithmetic with the second limits of {@link org.xfrmbridge.xfrm.Lifetime}: 0 is no limit, and clients send any 64 bits. */
final class Lifetimes {
    static final long NEVER = Long.MAX_VALUE;

    /** Longer than any clock runs, and short enough to be added to. */
    private static final long FOREVER_SECONDS = 1L << 40;

    private Lifetimes() {}

    /** Seconds until a limit counted from {@code since} is reached; 0 or less if it is, {@link #NEVER} if there is none. */
    static long remaining(long limitSeconds, long sinceSeconds, long nowSeconds) {
        if (limitSeconds == 0) {
            return NEVER;
        }
        boolean forever = Long.compareUnsigned(limitSeconds, FOREVER_SECONDS) > 0;
        return (forever ? FOREVER_SECONDS : limitSeconds) + sinceSeconds - nowSeconds;
    }
}
