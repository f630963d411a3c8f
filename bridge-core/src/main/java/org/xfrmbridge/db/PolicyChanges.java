package org.xfrmbridge.db;

import org.xfrmbridge.xfrm.AddressFamily;
import org.xfrmbridge.xfrm.Flow;
import org.xfrmbridge.xfrm.PolicySpec;

/**
 * Which policies have come to the {@link Spd} lately, and so may rule flows that another ruled before. One that leaves is no change but to flows that it
 * ruled, and those see that it is dead; the {@link Spd} names the exception.
 *
 * <p>Policies between two hosts, and between small networks, are told to the flows between the same ones only, as far as a hash tells them apart: so that as many
 * as a client can add may come between two packets of a flow. All flows look at the others, of which {@value #WIDE_DEPTH} may come.
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

    /** The stripe of {@link #narrow} that policies between the flow's hosts are in. */
    static int hostStripe(Flow flow) {
        return stripe(flow.daddrHigh + flow.daddrLow, flow.saddrHigh + flow.saddrLow);
    }

    /** The stripe of {@link #narrow} that policies between their networks are in. */
    static int networkStripe(Flow flow) {
        long mask = Prefix.highMask(narrowBits(flow.family));
        return stripe(flow.daddrHigh & mask, flow.saddrHigh & mask);
    }

    private static int stripe(long daddr, long saddr) {
        return Hashing.hash(daddr, saddr) & NARROW_STRIPES - 1;
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
        int narrowBits = narrowBits(spec.selector().family());
        if (entry.lane == SpdEntry.EXACT) {
            narrow.add(stripe(entry.daddrHigh + entry.daddrLow, entry.saddrHigh + entry.saddrLow), spec);
        } else if (Math.min(entry.daddrLength(), entry.saddrLength()) >= narrowBits) {
            long mask = Prefix.highMask(narrowBits);
            narrow.add(stripe(entry.daddrHigh & mask, entry.saddrHigh & mask), spec);
        } else {
            wide.add(0, spec);
        }
    }

    void concernAll() {
        wide.outdate(0);
    }
}
