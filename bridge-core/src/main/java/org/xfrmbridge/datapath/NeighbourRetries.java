package org.xfrmbridge.datapath;

import org.xfrmbridge.xfrm.Address;

/**
 * Remembers for which neighbours the host has asked lately, to know when nobody has answered: it then asks again, by
 * default a second later (RFC 4861 RETRANS_TIMER; ARP in Linux likewise). Of several that share a slot the last one is
 * remembered. One thread.
 */
final class NeighbourRetries {
    /** What answers at all answers within a fraction of it. */
    static final long ANSWER_NS = 500_000_000L;

    static final long FORGOTTEN_NS = 10_000_000_000L;
    private static final int SLOTS = 256;

    private final Address[] asked = new Address[SLOTS];
    private final int[] families = new int[SLOTS];
    private final long[] askedNs = new long[SLOTS];

    /** Notes a question; true if the same has waited for its answer long enough. */
    boolean isRepeated(int family, Address neighbour, long nowNs) {
        int slot = (neighbour.hashCode() ^ family) & SLOTS - 1;
        long ageNs = nowNs - askedNs[slot];
        boolean known = families[slot] == family && neighbour.equals(asked[slot]) && ageNs < FORGOTTEN_NS;
        if (!known) {
            asked[slot] = neighbour;
            families[slot] = family;
            askedNs[slot] = nowNs;
        }
        return known && ageNs >= ANSWER_NS;
    }
}
