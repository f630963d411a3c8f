package org.xfrmbridge.datapath;

import org.xfrmbridge.xfrm.Address;

/**
 * Remembers for which neighbours the host has asked lately, to know when nobody has answered: it then asks again, by
 * default a second later (RFC 4861 RETRANS_TIMER; ARP in Linux likewise). Of several that share a place the last one is
 * remembered. One thread.
 */
final class NeighbourRetries {
    /** What answers at all answers within a fraction of it. */
    static final long ANSWER_NS = 500_000_000L;

    static final long FORGOTTEN_NS = 10_000_000_000L;
    private static final int PLACES = 256;

    private final Address[] asked = new Address[PLACES];
    private final int[] families = new int[PLACES];
    private final long[] askedNs = new long[PLACES];

    /** Notes a question; true if the same has waited for its answer long enough. */
    boolean isRepeated(int family, Address neighbour, long nowNs) {
        int place = (neighbour.hashCode() ^ family) & PLACES - 1;
        long ageNs = nowNs - askedNs[place];
        boolean known = families[place] == family && neighbour.equals(asked[place]) && ageNs < FORGOTTEN_NS;
        if (!known) {
            asked[place] = neighbour;
            families[place] = family;
            askedNs[place] = nowNs;
        }
        return known && ageNs >= ANSWER_NS;
    }
}
