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

    @Override
    public int hashCode() {
        long bytes = 31 * softBytes + hardBytes;
        long packets = 31 * softPackets + hardPackets;
        long added = 31 * softAddSeconds + hardAddSeconds;
        long used = 31 * softUseSeconds + hardUseSeconds;
        return Long.hashCode(31 * (31 * (31 * bytes + packets) + added) + used);
    }
}
