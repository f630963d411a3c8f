package org.xfrmbridge.db;

import org.xfrmbridge.xfrm.AddressFamily;
import org.xfrmbridge.xfrm.Flow;
import org.xfrmbridge.xfrm.Policy;
import org.xfrmbridge.xfrm.PolicySpec;

/**
 * Finds the policy of a flow among those of one type, direction and family. Exact policies are hashed by both addresses; all others are in a
 * {@link Trie} of destinations whose nodes hold tries of sources, and a lookup leaves out every branch that has nothing better than what it has
 * found. That bounds it by the prefixes of the flow's own addresses, however many policies there are, and mostly by far less.
 *
 * <p>The control thread writes, any thread looks up and never waits. What a reader searches never changes: each change is published as a
 * whole by one write, an update too, so that at every moment a flow finds the old policy or the new one.
 */
final class Classifier {
    private final long highMask;
    private final long lowMask;

    private final Slots<Shelf> exact = new Slots<>();
    private volatile int exactAdds;
    private volatile Shelf prefixed;

    Classifier(int family) {
        highMask = Prefix.highMask(Math.min(AddressFamily.bits(family), Long.SIZE));
        lowMask = family == AddressFamily.INET ? 0 : -1L;
    }

    /** Any thread. */
    Policy lookup(Flow flow) {
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

    /**
     * Exact policies first: one that is added, whereupon a prefixed one goes, is then missed only together with a change of the count,
     * and looked for again.
     */
    private SpdEntry search(Flow flow, int lanes, SpdEntry bound) {
        SpdEntry best;
        Shelf root;
        int adds;
        do {
            adds = exactAdds;
            best = searchExact(flow, lanes, bound);
            root = prefixed;
        } while (adds != exactAdds);
        return root == null ? best : root.better(flow, lanes, best);
    }

    private SpdEntry searchExact(Flow flow, int lanes, SpdEntry bound) {
        int hash = hash(flow.daddrHigh, flow.daddrLow, flow.saddrHigh, flow.saddrLow);
        Slots.Table<Shelf> table = exact.table();
        for (int i = table.find(hash); i >= 0; i = table.findNext(i, hash)) {
            Shelf shelf = table.at(i);
            if (shelf != null && shelf.sample().hasAddressesOf(flow)) {
                return shelf.better(flow, lanes, bound);
            }
        }
        return bound;
    }

    private int hash(long daddrHigh, long daddrLow, long saddrHigh, long saddrLow) {
        long daddr = Hashing.mix(daddrHigh & highMask, daddrLow & lowMask);
        return Hashing.fold(Hashing.mix(Hashing.mix(daddr, saddrHigh & highMask), saddrLow & lowMask));
    }

    private int hash(SpdEntry entry) {
        return hash(entry.daddrHigh, entry.daddrLow, entry.saddrHigh, entry.saddrLow);
    }

    /** The entry that a client means by what a spec names it by, or null. Control thread, like all below. */
    SpdEntry find(PolicySpec named) {
        SpdEntry probe = SpdEntry.probe(named);
        Shelf shelf = probe.lane == SpdEntry.EXACT ? exactShelf(probe) : prefixed;
        return shelf == null ? null : shelf.named(named, probe);
    }

    private Shelf exactShelf(SpdEntry entry) {
        int hash = hash(entry);
        Slots.Table<Shelf> table = exact.table();
        for (int i = table.find(hash); i >= 0; i = table.findNext(i, hash)) {
            if (table.at(i).sample().hasAddressesOf(entry)) {
                return table.at(i);
            }
        }
        return null;
    }

    /** @param old an entry of the same selector that it takes the place of, or null */
    void put(SpdEntry entry, SpdEntry old) {
        if (entry.lane == SpdEntry.EXACT) {
            putExact(entry, old);
            return;
        }
        Shelf more = Trie.add(prefixed, entry, Trie.Side.DADDR);
        prefixed = old == null ? more : Trie.remove(more, old, Trie.Side.DADDR);
    }

    private void putExact(SpdEntry entry, SpdEntry old) {
        Shelf shelf = exactShelf(entry);
        if (shelf == null) {
            exact.add(entry, hash(entry));
        } else {
            Shelf more = Bag.add(shelf, entry);
            exact.replace(shelf, old == null ? more : Bag.remove(more, old), hash(entry));
        }
        exactAdds++;
    }

    void remove(SpdEntry entry) {
        if (entry.lane != SpdEntry.EXACT) {
            prefixed = Trie.remove(prefixed, entry, Trie.Side.DADDR);
            return;
        }
        Shelf shelf = exactShelf(entry);
        Shelf rest = Bag.remove(shelf, entry);
        if (rest == null) {
            exact.remove(shelf, hash(entry));
        } else {
            exact.replace(shelf, rest, hash(entry));
        }
    }

    void clear() {
        exact.clear();
        prefixed = null;
    }
}
