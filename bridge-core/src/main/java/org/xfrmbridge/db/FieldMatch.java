package org.xfrmbridge.db;

import org.xfrmbridge.xfrm.Flow;
import org.xfrmbridge.xfrm.Mark;
import org.xfrmbridge.xfrm.PolicyName;
import org.xfrmbridge.xfrm.Selector;

/**
 * What a flow must have for a policy, besides its addresses. Most policies ask for nothing, and others for the same as
 * many: it is kept once for all of them.
 *
 * @param ports as in {@link #ports(Flow)}
 * @param ifindex 0 for any
 * @param ifId always counts
 */
record FieldMatch(long ports, long portsMask, int mark, int markMask, int ifindex, int ifId) {
    /** The only one that every flow has which has no interface id. */
    static final FieldMatch ANY = new FieldMatch(0, 0, 0, 0, 0, 0);

    static FieldMatch of(PolicyName name) {
        Selector selector = name.selector();
        long portsMask = ports(selector.sportMask(), selector.dportMask(), selector.protocol() == 0 ? 0 : 0xff);
        int mark = name.mark().value();
        int markMask = name.mark().mask();
        if ((portsMask | mark | markMask | selector.ifindex() | name.ifId()) == 0) {
            return ANY;
        }
        return new FieldMatch(ports(selector) & portsMask, portsMask, mark, markMask, selector.ifindex(), name.ifId());
    }

    static long ports(Selector selector) {
        return ports(selector.sport(), selector.dport(), selector.protocol());
    }

    /** Source port, destination port and protocol in one. */
    static long ports(Flow flow) {
        return ports(flow.sport, flow.dport, flow.protocol);
    }

    private static long ports(int sport, int dport, int protocol) {
        return (long) sport << 24 | (long) dport << 8 | protocol;
    }

    boolean fit(Flow flow) {
        return this == ANY
                ? flow.ifId == 0
                : ifId == flow.ifId
                        && ((ports(flow) ^ ports) & portsMask) == 0
                        && Mark.fits(flow.mark, mark, markMask)
                        && (ifindex == 0 || flow.isAt(ifindex));
    }

    /** As a record's own, but without the classes that the JVM makes for that when it is first asked. */
    @Override
    public boolean equals(Object object) {
        return object instanceof FieldMatch other
                && ports == other.ports
                && portsMask == other.portsMask
                && mark == other.mark
                && markMask == other.markMask
                && ifindex == other.ifindex
                && ifId == other.ifId;
    }

    /** Written out: a record's own one costs three times as much. */
    @Override
    public int hashCode() {
        return Hashing.hash(ports ^ (long) mark << 32 ^ ifindex, portsMask ^ (long) ifId << 32 ^ markMask);
    }
}
