package org.xfrmbridge.db;

import java.util.Arrays;
import org.xfrmbridge.xfrm.Flow;
import org.xfrmbridge.xfrm.Mark;
import org.xfrmbridge.xfrm.Policy;
import org.xfrmbridge.xfrm.PolicySpec;
import org.xfrmbridge.xfrm.Selector;

/** One Policy in the {@link Spd}: its rank, and its link in a chain of a {@link Tuple}. */
final class SpdEntry extends WalkEntry<Policy> {
    /** No rank is higher. */
    static final long LAST_RANK = Long.MAX_VALUE;

    private static final long LAST_AGE = 0xffffffffL;

    /** Priority, then age, in one signed number: lower wins. Very late ages share a rank and are compared themselves. */
    final long rank;

    final int hash;
    /** Null for a socket policy: it is only walked over. */
    final Tuple tuple;

    private final long daddrHigh;
    private final long saddrHigh;
    private final byte daddrBits;
    private final byte saddrBits;

    volatile SpdEntry next;

    SpdEntry(Policy policy, Tuple tuple) {
        super(policy);
        this.tuple = tuple;
        PolicySpec spec = policy.spec();
        Selector selector = spec.selector();
        rank = (long) (spec.priority() ^ Integer.MIN_VALUE) << 32 | Math.min(policy.age(), LAST_AGE);
        hash = tuple == null ? 0 : tuple.hash(spec);
        daddrHigh = selector.daddr().high();
        saddrHigh = selector.saddr().high();
        daddrBits = (byte) Math.min(selector.daddrPrefix(), 64);
        saddrBits = (byte) Math.min(selector.saddrPrefix(), 64);
    }

    Policy policy() {
        return value();
    }

    boolean precedes(SpdEntry other) {
        return rank < other.rank || rank == other.rank && policy().age() < other.policy().age();
    }

    /** The kernel's {@code xfrm_policy_match}. Most candidates of a chain fail in the first bits of their addresses, kept here. */
    boolean matches(Flow flow) {
        if (((flow.daddrHigh ^ daddrHigh) & Tuple.highMask(daddrBits)) != 0
                || ((flow.saddrHigh ^ saddrHigh) & Tuple.highMask(saddrBits)) != 0) {
            return false;
        }
        PolicySpec spec = policy().spec();
        return spec.ifId() == flow.ifId && spec.mark().fits(flow.mark) && spec.selector().matches(flow, flow.family);
    }

    /** Whether a client that names this selector (every bit of it), mark, interface id and security context means this Policy. */
    boolean isNamed(Selector selector, Mark mark, int ifId, byte[] securityContext) {
        PolicySpec spec = policy().spec();
        return spec.ifId() == ifId
                && spec.selector().equals(selector)
                && spec.mark().equals(mark)
                && Arrays.equals(spec.securityContext(), securityContext);
    }
}
