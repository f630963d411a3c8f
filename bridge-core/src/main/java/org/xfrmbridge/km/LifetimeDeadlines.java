package org.xfrmbridge.km;

/**
 * Arithmetic with the second limits of {@link org.xfrmbridge.xfrm.Lifetime}: 0 is no limit, and clients send any 64
 * bits. Sums wrap and have a sign, as a kernel's do: a limit above 2^63 seconds counts as reached.
 */
final class LifetimeDeadlines {
    static final long NEVER = Long.MAX_VALUE;

    private LifetimeDeadlines() {}

    /**
     * Seconds until a limit counted from {@code since} is reached; 0 or less if it is, {@link #NEVER} if there is none.
     */
    static long remaining(long limitSeconds, long sinceSeconds, long nowSeconds) {
        return limitSeconds == 0 ? NEVER : limitSeconds + sinceSeconds - nowSeconds;
    }
}
