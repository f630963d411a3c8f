package org.xfrmbridge.db;

import org.xfrmbridge.xfrm.Flow;
import org.xfrmbridge.xfrm.Policy;
import org.xfrmbridge.xfrm.PolicySpec;

/**
 * Finds the policy of a flow among those of one type, direction and family. Exact policies are in an {@link ExactTable}; all others are in a
 * {@link Trie} of destinations whose nodes hold tries of sources, and a lookup leaves out every branch that has nothing better than what it has
 * found. That bounds it by the prefixes of the flow's own addresses, however many policies there are, and mostly by far less.
 *
 * <p>The control thread writes, any thread looks up and never waits. What a reader searches never changes: each change is published as a
 * whole by one write, an update too, so that at every moment a flow finds the old policy or the new one.
 */
final class Classifier {
    private final ExactTable exact;
    private volatile Shelf prefixed;

    Classifier(int family) {
        exact = new ExactTable(family);
    }

    /** Any thread. */
    Policy lookup(Flow flow) {
        Policy alone;
        Shelf root;
        int seen;
        do {
            seen = exact.changes();
            alone = exact.alone(flow);
            root = prefixed;
        } while (seen != exact.changes());
        if (alone != null && root == null) {
            return alone;
        }
        SpdEntry best = search(flow, SpdEntry.ALL_LANES, SpdEntry.NONE);
        return best.ceiling == null ? best.policy() : oldestOfLanes(flow, best);
    }

    /**
     * An update keeps its place within its lane only, so that what leads by place may be younger than the best of another lane: of the
     * best of each lane, the oldest is the one.
     */
    private Policy oldestOfLanes(Flow flow, SpdEntry leader) {
        Policy oldest = leader.policy();
        for (int lane = 1; lane < SpdEntry.ALL_LANES; lane <<= 1) {
            SpdEntry best = lane == leader.lane ? leader : search(flow, lane, leader.ceiling);
            if (best != leader.ceiling && best.policy().age() < oldest.age()) {
                oldest = best.policy();
            }
        }
        return oldest;
    }

    /** Exact policies first, and the root of the others as it was at one moment with them. */
    private SpdEntry search(Flow flow, int lanes, SpdEntry bound) {
        SpdEntry best;
        Shelf root;
        int seen;
        do {
            seen = exact.changes();
            best = exact.better(flow, lanes, bound);
            root = prefixed;
        } while (seen != exact.changes());
        return root == null ? best : root.better(flow, lanes, best);
    }

    /** The entry that a client means by what a spec names it by, or null. Control thread, like all below. */
    SpdEntry find(PolicySpec named) {
        SpdEntry probe = SpdEntry.probe(named);
        Shelf shelf = probe.lane == SpdEntry.EXACT ? exact.shelf(probe) : prefixed;
        return shelf == null ? null : shelf.named(named, probe);
    }

    /** @param old an entry of the same selector that it takes the place of, or null */
    void put(SpdEntry entry, SpdEntry old) {
        if (entry.lane == SpdEntry.EXACT) {
            exact.put(entry, old);
            return;
        }
        Shelf more = Trie.add(prefixed, entry, Trie.Side.DADDR);
        prefixed = old == null ? more : Trie.remove(more, old, Trie.Side.DADDR);
    }

    void remove(SpdEntry entry) {
        if (entry.lane == SpdEntry.EXACT) {
            exact.remove(entry);
        } else {
            prefixed = Trie.remove(prefixed, entry, Trie.Side.DADDR);
        }
    }

    void clear() {
        exact.clear();
        prefixed = null;
    }
}
