package org.xfrmbridge.db;

import java.util.function.Consumer;
import org.xfrmbridge.xfrm.Flow;
import org.xfrmbridge.xfrm.PolicyName;

/**
 * Policies by the prefixes of one of their addresses, four bits to a node. A node starts at a multiple of four bits and
 * has 31 places, like a heap: 1 is for its own prefix, 2 and 3 for those of one bit more, and so on to 15; 16 to 31 are
 * for what is four bits longer or more. Places without policies are not kept, nor nodes with a single one, so that a
 * node's prefix may be much longer than that of the one above.
 *
 * <p>What stands in one of the places 1 to 15, policies with the very same prefix, is ordered by the other address: in
 * the trie of destinations they make a trie of sources, and there they are a bag. A single policy stands for itself
 * anywhere.
 *
 * <p>A node has the best rank of every place beside it: a lookup looks only where a better policy may be than the one
 * it has.
 */
final class Trie implements PolicySet {
    /** The address that a trie is ordered by. */
    enum Side {
        DADDR,
        SADDR
    }

    private static final int STRIDE = 4;
    private static final int FANOUT = 1 << STRIDE;

    /** Places 1 to 15. */
    private static final int HERE = FANOUT - 1;

    private static final int HERE_MASK = (1 << FANOUT) - 1;

    /** For every four bits of an address, the places of all prefixes of it. */
    private static final int[] PATHS = new int[FANOUT];

    static {
        for (int bits = 0; bits < FANOUT; bits++) {
            for (int place = FANOUT + bits; place > 0; place >>>= 1) {
                PATHS[bits] |= 1 << place;
            }
        }
    }

    private final long high;
    private final long low;
    private final long bestRank;
    private final long[] ranks;
    private final PolicySet[] shelves;
    /** A bit for each place that is kept. */
    private final int places;

    private final short start;
    private final boolean bySource;

    private Trie(long high, long low, int start, Side side, int places, PolicySet[] shelves, long[] ranks) {
        this.high = Prefix.high(high, start);
        this.low = Prefix.low(low, start);
        this.start = (short) start;
        bySource = side == Side.SADDR;
        this.places = places;
        this.shelves = shelves;
        this.ranks = ranks;
        long best = Long.MAX_VALUE;
        for (long rank : ranks) {
            best = Math.min(best, rank);
        }
        bestRank = best;
    }

    /** @param shelf policies by the addresses of a side, null for none. Returns them and one more. */
    static PolicySet add(PolicySet shelf, SpdEntry entry, Side side) {
        if (shelf == null) {
            return entry;
        }
        Trie at = shelf instanceof Trie trie ? trie : alone((SpdEntry) shelf, side);
        int same = Prefix.common(at.high ^ high(entry, side), at.low ^ low(entry, side));
        int start = Math.min(same, length(entry, side)) & -STRIDE;
        if (start < at.start) {
            Trie fork = node(at.high, at.low, start, side, childPlace(at.high, at.low, start), shelf);
            return fork.with(fork.place(entry), entry);
        }
        int place = at.place(entry);
        PolicySet old = at.at(place);
        return at.with(place, place <= HERE ? addHere(old, entry, side) : add(old, entry, side));
    }

    /** What is left of a shelf without one that is in it, null if nothing. */
    static PolicySet remove(PolicySet shelf, SpdEntry entry, Side side) {
        if (shelf == entry) {
            return null;
        }
        Trie at = (Trie) shelf;
        int place = at.place(entry);
        PolicySet old = at.at(place);
        PolicySet rest = place <= HERE ? removeHere(old, entry, side) : remove(old, entry, side);
        return rest == null ? at.without(place) : at.with(place, rest).unlessSingle();
    }

    private static Trie alone(SpdEntry entry, Side side) {
        int length = length(entry, side);
        int start = length & -STRIDE;
        long high = high(entry, side);
        long low = low(entry, side);
        return node(high, low, start, side, place(high, low, start, length), entry);
    }

    private static Trie node(long high, long low, int start, Side side, int place, PolicySet shelf) {
        return new Trie(high, low, start, side, 1 << place, new PolicySet[] {shelf}, new long[] {shelf.bestRank()});
    }

    private static PolicySet addHere(PolicySet here, SpdEntry entry, Side side) {
        if (here == null) {
            return entry;
        }
        return side == Side.DADDR ? add(here, entry, Side.SADDR) : PolicyArray.add(here, entry);
    }

    private static PolicySet removeHere(PolicySet here, SpdEntry entry, Side side) {
        return side == Side.DADDR ? remove(here, entry, Side.SADDR) : PolicyArray.remove(here, entry);
    }

    private Trie with(int place, PolicySet shelf) {
        int count = shelves.length;
        int index = index(place);
        boolean had = has(place);
        PolicySet[] newShelves =
                had ? shelves.clone() : ArrayCopies.open(shelves, count, new PolicySet[count + 1], index);
        long[] newRanks = had ? ranks.clone() : ArrayCopies.open(ranks, count, new long[count + 1], index);
        newShelves[index] = shelf;
        newRanks[index] = shelf.bestRank();
        return new Trie(high, low, start, side(), places | 1 << place, newShelves, newRanks);
    }

    private PolicySet without(int place) {
        int count = shelves.length;
        if (count == 1) {
            return null;
        }
        int index = index(place);
        PolicySet[] fewerShelves = ArrayCopies.close(shelves, count, new PolicySet[count - 1], index);
        long[] fewerRanks = ArrayCopies.close(ranks, count, new long[count - 1], index);
        return new Trie(high, low, start, side(), places & ~(1 << place), fewerShelves, fewerRanks).unlessSingle();
    }

    /** A node that has nothing to tell apart gives way to the one thing it has. */
    private PolicySet unlessSingle() {
        boolean isBelow = places >>> FANOUT != 0;
        return shelves.length == 1 && (isBelow || shelves[0] instanceof SpdEntry) ? shelves[0] : this;
    }

    @Override
    public long bestRank() {
        return bestRank;
    }

    @Override
    public SpdEntry better(Flow flow, int lanes, SpdEntry best) {
        long flowHigh = bySource ? flow.saddrHigh : flow.daddrHigh;
        long flowLow = bySource ? flow.saddrLow : flow.daddrLow;
        SpdEntry found = best;
        Trie at = this;
        while (Prefix.isZero(flowHigh ^ at.high, flowLow ^ at.low, at.start)) {
            int path = at.places & PATHS[digit(flowHigh, flowLow, at.start)];
            for (int left = path & HERE_MASK; left != 0; left &= left - 1) {
                int index = at.indexOf(left & -left);
                if (at.ranks[index] <= found.rank) {
                    found = at.shelves[index].better(flow, lanes, found);
                }
            }
            int below = path & ~HERE_MASK;
            if (below == 0 || at.ranks[at.indexOf(below)] > found.rank) {
                return found;
            }
            PolicySet next = at.shelves[at.indexOf(below)];
            if (next instanceof Trie trie) {
                at = trie;
            } else {
                return next.better(flow, lanes, found);
            }
        }
        return found;
    }

    @Override
    public SpdEntry named(PolicyName name, SpdEntry probe) {
        Trie at = this;
        while (length(probe, side()) >= at.start) {
            int place = at.place(probe);
            PolicySet next = at.at(place);
            if (place > HERE && next instanceof Trie trie) {
                at = trie;
            } else {
                return next == null ? null : next.named(name, probe);
            }
        }
        return null;
    }

    @Override
    public SpdEntry sample() {
        return shelves[0].sample();
    }

    @Override
    public void forEach(Consumer<SpdEntry> action) {
        for (PolicySet shelf : shelves) {
            shelf.forEach(action);
        }
    }

    private boolean has(int place) {
        return (places >>> place & 1) != 0;
    }

    private int index(int place) {
        return indexOf(1 << place);
    }

    private int indexOf(int placeBit) {
        return Integer.bitCount(places & placeBit - 1);
    }

    private PolicySet at(int place) {
        return has(place) ? shelves[index(place)] : null;
    }

    private int place(SpdEntry entry) {
        Side side = side();
        return place(high(entry, side), low(entry, side), start, length(entry, side));
    }

    private static int place(long high, long low, int start, int length) {
        return length >= start + STRIDE
                ? childPlace(high, low, start)
                : FANOUT + digit(high, low, start) >>> start + STRIDE - length;
    }

    private static int childPlace(long high, long low, int start) {
        return FANOUT + digit(high, low, start);
    }

    /** Four bits of an address. */
    private static int digit(long high, long low, int start) {
        return (int) ((start < Long.SIZE ? high : low) << start >>> Long.SIZE - STRIDE);
    }

    private Side side() {
        return bySource ? Side.SADDR : Side.DADDR;
    }

    private static long high(SpdEntry entry, Side side) {
        return side == Side.DADDR ? entry.daddrHigh : entry.saddrHigh;
    }

    private static long low(SpdEntry entry, Side side) {
        return side == Side.DADDR ? entry.daddrLow : entry.saddrLow;
    }

    private static int length(SpdEntry entry, Side side) {
        return side == Side.DADDR ? entry.daddrLength() : entry.saddrLength();
    }
}
