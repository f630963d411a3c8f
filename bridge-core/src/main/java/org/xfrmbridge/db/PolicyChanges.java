package org.xfrmbridge.db;

import org.xfrmbridge.xfrm.AddressFamily;
import org.xfrmbridge.xfrm.Flow;
import org.xfrmbridge.xfrm.PolicySpec;

/**
 * Which policies have come to the {@link Spd} lately, and so may rule flows that another ruled before. One that leaves is no change but to flows that it
 * ruled, and those see that it is dead; the {@link Spd} names the exception.
 *
 * <p>Policies between small networks and hosts are told to the flows between the same ones only, as far as a hash tells them apart: so that as many as
 * a client can add may come between two packets of a flow. All flows look at the others, of which {@value #WIDE_DEPTH} may come.
 */
final class PolicyChanges {
    private static final int NARROW_STRIPES = 1 << 11;
    private static final int NARROW_DEPTH = 8;
    static final int WIDE_DEPTH = 64;

    /** The shortest prefixes, of both sides, that count as narrow. */
    private static final int NARROW_BITS_4 = 24;
    private static final int NARROW_BITS_6 = 64;

    private final ChangeLog<PolicySpec> narrow = new ChangeLog<>(NARROW_STRIPES, NARROW_DEPTH);
    private final ChangeLog<PolicySpec> wide = new ChangeLog<>(1, WIDE_DEPTH);

    static int stripe(Flow flow) {
        return stripe(flow.family, flow.daddrHigh, flow.saddrHigh);
    }

    private static int stripe(int family, long daddrHigh, long saddrHigh) {
        long mask = Prefix.highMask(narrowBits(family));
        return Hashing.hash(daddrHigh & mask, saddrHigh & mask) & NARROW_STRIPES - 1;
    }

    private static int narrowBits(int family) {
        return family == AddressFamily.INET ? NARROW_BITS_4 : NARROW_BITS_6;
    }

    ChangeLog<PolicySpec> narrow() {
        return narrow;
    }

    /** Of one stripe, 0. */
    ChangeLog<PolicySpec> wide() {
        return wide;
    }

    void add(SpdEntry entry) {
        PolicySpec spec = entry.policy().spec();
        int family = spec.selector().family();
        if (Math.min(entry.daddrLength(), entry.saddrLength()) >= narrowBits(family)) {
            narrow.add(stripe(family, entry.daddrHigh, entry.saddrHigh), spec);
        } else {
            wide.add(0, spec);
        }
    }

    void concernAll() {
        wide.outdate(0);
    }
}
