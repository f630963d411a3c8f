package org.xfrmbridge.db;

import java.util.function.Consumer;
import org.xfrmbridge.xfrm.Flow;
import org.xfrmbridge.xfrm.PolicyName;

/**
 * Policies by the prefixes of one of their addresses, four bits to a node. A node starts at a multiple of four bits and
 * has 31 branches, like a heap: 1 is for its own prefix, 2 and 3 for those of one bit more, and so on to 15; 16 to 31
 * are for what is four bits longer or more. Branches without policies are not kept, nor nodes with a single one, so
 * that a node's prefix may be much longer than that of the one above.
 *
 * <p>What stands on one of the branches 1 to 15, policies with the very same prefix, is ordered by the other address:
 * in the trie of destinations they make a trie of sources, and there they are a {@link PolicyArray}. A single policy
 * stands for itself anywhere.
 *
 * <p>A node has the best rank of every branch beside it: a lookup looks only where a better policy may be than the one
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

    /** Branches 1 to 15. */
    private static final int HERE = FANOUT - 1;

    private static final int HERE_MASK = (1 << FANOUT) - 1;

    /** For every four bits of an address, the branches of all prefixes of it. */
    private static final int[] PATHS = new int[FANOUT];

    static {
        for (int bits = 0; bits < FANOUT; bits++) {
            for (int branch = FANOUT + bits; branch > 0; branch >>>= 1) {
                PATHS[bits] |= 1 << branch;
            }
        }
    }

    private final long high;
    private final long low;
    private final long bestRank;
    private final long[] ranks;
    private final PolicySet[] children;
    /** A bit for each branch that is kept. */
    private final int branches;

    private final short start;
    private final boolean bySource;

    private Trie(long high, long low, int start, Side side, int branches, PolicySet[] children, long[] ranks) {
        this.high = Prefix.high(high, start);
        this.low = Prefix.low(low, start);
        this.start = (short) start;
        bySource = side == Side.SADDR;
        this.branches = branches;
        this.children = children;
        this.ranks = ranks;
        long best = Long.MAX_VALUE;
        for (long rank : ranks) {
            best = Math.min(best, rank);
        }
        bestRank = best;
    }

    /** @param policies by the addresses of a side, null for none. Returns them and one more. */
    static PolicySet add(PolicySet policies, SpdEntry entry, Side side) {
        if (policies == null) {
            return entry;
        }
        Trie at = policies instanceof Trie trie ? trie : alone((SpdEntry) policies, side);
        int same = Prefix.common(at.high ^ high(entry, side), at.low ^ low(entry, side));
        int start = Math.min(same, length(entry, side)) & -STRIDE;
        if (start < at.start) {
            Trie fork = node(at.high, at.low, start, side, branchBelow(at.high, at.low, start), policies);
            return fork.with(fork.branch(entry), entry);
        }
        int branch = at.branch(entry);
        PolicySet old = at.child(branch);
        return at.with(branch, branch <= HERE ? addHere(old, entry, side) : add(old, entry, side));
    }

    /** What is left of a set without one that is in it, null if nothing. */
    static PolicySet remove(PolicySet policies, SpdEntry entry, Side side) {
        if (policies == entry) {
            return null;
        }
        Trie at = (Trie) policies;
        int branch = at.branch(entry);
        PolicySet old = at.child(branch);
        PolicySet rest = branch <= HERE ? removeHere(old, entry, side) : remove(old, entry, side);
        return rest == null ? at.without(branch) : at.with(branch, rest).unlessSingle();
    }

    private static Trie alone(SpdEntry entry, Side side) {
        int length = length(entry, side);
        int start = length & -STRIDE;
        long high = high(entry, side);
        long low = low(entry, side);
        return node(high, low, start, side, branch(high, low, start, length), entry);
    }

    private static Trie node(long high, long low, int start, Side side, int branch, PolicySet policies) {
        return new Trie(
                high, low, start, side, 1 << branch, new PolicySet[] {policies}, new long[] {policies.bestRank()});
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

    private Trie with(int branch, PolicySet policies) {
        int count = children.length;
        int index = index(branch);
        boolean had = has(branch);
        PolicySet[] newChildren =
                had ? children.clone() : ArrayCopies.open(children, count, new PolicySet[count + 1], index);
        long[] newRanks = had ? ranks.clone() : ArrayCopies.open(ranks, count, new long[count + 1], index);
        newChildren[index] = policies;
        newRanks[index] = policies.bestRank();
        return new Trie(high, low, start, side(), branches | 1 << branch, newChildren, newRanks);
    }

    private PolicySet without(int branch) {
        int count = children.length;
        if (count == 1) {
            return null;
        }
        int index = index(branch);
        PolicySet[] fewerChildren = ArrayCopies.close(children, count, new PolicySet[count - 1], index);
        long[] fewerRanks = ArrayCopies.close(ranks, count, new long[count - 1], index);
        return new Trie(high, low, start, side(), branches & ~(1 << branch), fewerChildren, fewerRanks).unlessSingle();
    }

    /** A node that has nothing to tell apart gives way to the one thing it has. */
    private PolicySet unlessSingle() {
        boolean isBelow = branches >>> FANOUT != 0;
        return children.length == 1 && (isBelow || children[0] instanceof SpdEntry) ? children[0] : this;
    }

    @Override
    public long bestRank() {
        return bestRank;
    }

    @Override
    public SpdEntry better(Flow flow, int lists, SpdEntry best) {
        long flowHigh = bySource ? flow.saddrHigh : flow.daddrHigh;
        long flowLow = bySource ? flow.saddrLow : flow.daddrLow;
        SpdEntry found = best;
        Trie at = this;
        while (Prefix.isZero(flowHigh ^ at.high, flowLow ^ at.low, at.start)) {
            int path = at.branches & PATHS[digit(flowHigh, flowLow, at.start)];
            for (int left = path & HERE_MASK; left != 0; left &= left - 1) {
                int index = at.indexOf(left & -left);
                if (at.ranks[index] <= found.rank) {
                    found = at.children[index].better(flow, lists, found);
                }
            }
            int below = path & ~HERE_MASK;
            if (below == 0 || at.ranks[at.indexOf(below)] > found.rank) {
                return found;
            }
            PolicySet next = at.children[at.indexOf(below)];
            if (next instanceof Trie trie) {
                at = trie;
            } else {
                return next.better(flow, lists, found);
            }
        }
        return found;
    }

    @Override
    public SpdEntry named(PolicyName name, SpdEntry probe) {
        Trie at = this;
        while (length(probe, side()) >= at.start) {
            int branch = at.branch(probe);
            PolicySet next = at.child(branch);
            if (branch > HERE && next instanceof Trie trie) {
                at = trie;
            } else {
                return next == null ? null : next.named(name, probe);
            }
        }
        return null;
    }

    @Override
    public SpdEntry sample() {
        return children[0].sample();
    }

    @Override
    public void forEach(Consumer<SpdEntry> action) {
        for (PolicySet child : children) {
            child.forEach(action);
        }
    }

    private boolean has(int branch) {
        return (branches >>> branch & 1) != 0;
    }

    private int index(int branch) {
        return indexOf(1 << branch);
    }

    private int indexOf(int branchBit) {
        return Integer.bitCount(branches & branchBit - 1);
    }

    private PolicySet child(int branch) {
        return has(branch) ? children[index(branch)] : null;
    }

    private int branch(SpdEntry entry) {
        Side side = side();
        return branch(high(entry, side), low(entry, side), start, length(entry, side));
    }

    private static int branch(long high, long low, int start, int length) {
        return length >= start + STRIDE
                ? branchBelow(high, low, start)
                : FANOUT + digit(high, low, start) >>> start + STRIDE - length;
    }

    private static int branchBelow(long high, long low, int start) {
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
