package org.xfrmbridge.db;

import org.xfrmbridge.xfrm.AddressFamily;
import org.xfrmbridge.xfrm.PolicySpec;
import org.xfrmbridge.xfrm.Selector;

/**
 * Which bits of a flow a {@link Tuple} of policies hashes, besides the interface id, which always counts. Prefix lengths are rounded down to
 * a few classes and all but full masks to none, so that odd selectors make longer chains and not more tuples: a candidate is always
 * checked against its whole selector.
 *
 * @param fields bits of the constants below
 */
record TupleShape(int daddrPrefix, int saddrPrefix, int fields) {
    static final int PROTOCOL = 1;
    static final int DPORT = 2;
    static final int SPORT = 4;
    static final int INTERFACE = 8;
    static final int MARK = 16;
    private static final int PORT_MASK = 0xffff;

    static TupleShape of(PolicySpec spec) {
        Selector selector = spec.selector();
        int family = selector.family();
        int fields = selector.protocol() != 0 ? PROTOCOL : 0;
        fields |= selector.dportMask() == PORT_MASK ? DPORT : 0;
        fields |= selector.sportMask() == PORT_MASK ? SPORT : 0;
        fields |= selector.ifindex() != 0 ? INTERFACE : 0;
        fields |= spec.mark().mask() == -1 ? MARK : 0;
        return new TupleShape(lengthClass(selector.daddrPrefix(), family), lengthClass(selector.saddrPrefix(), family), fields);
    }

    /** Nine classes for IPv4, seventeen for IPv6: every further class is one more probe, every wider one makes longer chains. */
    private static int lengthClass(int prefixBits, int family) {
        int step = family == AddressFamily.INET ? 4 : 8;
        return Math.min(prefixBits, AddressFamily.bits(family)) / step * step;
    }

    boolean has(int field) {
        return (fields & field) != 0;
    }
}
