package org.xfrmbridge.xfrm;

import io.soabase.recordbuilder.core.RecordBuilder;

/**
 * Limits of a State or Policy, {@code struct xfrm_lifetime_cfg}. Byte and packet limits are unsigned, {@link #INFINITE}
 * means none; times are seconds since adding or since first use, 0 means none.
 */
@RecordBuilder
public record Lifetime(
        long softBytes,
        long hardBytes,
        long softPackets,
        long hardPackets,
        long softAddSeconds,
        long hardAddSeconds,
        long softUseSeconds,
        long hardUseSeconds) {
    public static final long INFINITE = -1L;
    public static final Lifetime UNLIMITED = new Lifetime(INFINITE, INFINITE, INFINITE, INFINITE, 0, 0, 0, 0);

    /** Without limits; set those there are. */
    public static LifetimeBuilder builder() {
        return LifetimeBuilder.builder(UNLIMITED);
    }

    /**
     * Whether a limit of bytes or packets that ends a State was reached. {@link #INFINITE} is a limit like any other,
     * the largest number there is, which only a client can set a counter to: Linux 6.1 ended a State without limits
     * that XFRM_MSG_NEWAE had told so many bytes or packets, with the next packet and with the next update.
     */
    public boolean isHardReached(Usage usage) {
        return isReached(usage, hardBytes, hardPackets);
    }

    /** The same for what makes a State dying. */
    public boolean isSoftReached(Usage usage) {
        return isReached(usage, softBytes, softPackets);
    }

    private static boolean isReached(Usage usage, long bytes, long packets) {
        return Long.compareUnsigned(usage.bytes(), bytes) >= 0 || Long.compareUnsigned(usage.packets(), packets) >= 0;
    }

    /** As a record's own, but without the classes that the JVM makes for that when it is first asked. */
    @Override
    public boolean equals(Object object) {
        return object instanceof Lifetime other
                && softBytes == other.softBytes
                && hardBytes == other.hardBytes
                && softPackets == other.softPackets
                && hardPackets == other.hardPackets
                && softAddSeconds == other.softAddSeconds
                && hardAddSeconds == other.hardAddSeconds
                && softUseSeconds == other.softUseSeconds
                && hardUseSeconds == other.hardUseSeconds;
    }

    @Override
    public int hashCode() {
        long bytes = 31 * softBytes + hardBytes;
        long packets = 31 * softPackets + hardPackets;
        long added = 31 * softAddSeconds + hardAddSeconds;
        long used = 31 * softUseSeconds + hardUseSeconds;
        return Long.hashCode(31 * (31 * (31 * bytes + packets) + added) + used);
    }
}
