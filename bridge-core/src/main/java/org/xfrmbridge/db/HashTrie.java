package org.xfrmbridge.db;

import java.util.function.Consumer;
import java.util.function.ToIntFunction;
import org.xfrmbridge.xfrm.Flow;

/**
 * Policies by a hash, five bits of it at a level: of what they match, or of their names. A child is another level or a
 * {@link PolicySet} of policies with the same hash; there is none where no policy is.
 */
final class HashTrie implements PolicyNode {
    private static final int BITS = 5;
    private static final int DIGIT_MASK = (1 << BITS) - 1;

    /** A bit for each digit that has a child. */
    private final int digits;

    private final PolicyNode[] children;
    private final SpdEntry best;

    private HashTrie(int digits, PolicyNode[] children, SpdEntry best) {
        this.digits = digits;
        this.children = children;
        this.best = best;
    }

    /** The policies below {@code root} with this hash; maybe others too. Null if none. */
    static PolicySet get(PolicyNode root, int hash) {
        PolicyNode at = root;
        int rest = hash;
        while (at instanceof HashTrie trie) {
            int bit = 1 << (rest & DIGIT_MASK);
            if ((trie.digits & bit) == 0) {
                return null;
            }
            at = trie.children[trie.index(bit)];
            rest >>>= BITS;
        }
        return (PolicySet) at;
    }

    /** @param shift bits of the hash that led to {@code at}, which may be null */
    static PolicyNode add(PolicyNode at, SpdEntry entry, ToIntFunction<SpdEntry> hashes, int shift) {
        if (at == null) {
            return entry;
        }
        int hash = hashes.applyAsInt(entry);
        if (at instanceof HashTrie trie) {
            int bit = trie.bit(hash, shift);
            return trie.with(bit, add(trie.at(bit), entry, hashes, shift + BITS), better(trie.best, entry));
        }
        SpdEntry other = at.sample();
        int otherHash = hashes.applyAsInt(other);
        if (hash == otherHash) {
            return PolicyArray.addAlike((PolicySet) at, entry);
        }
        HashTrie level = new HashTrie(1 << (otherHash >>> shift & DIGIT_MASK), new PolicyNode[] {at}, other);
        return add(level, entry, hashes, shift);
    }

    /** What is left, null if nothing. */
    static PolicyNode remove(PolicyNode at, SpdEntry entry, ToIntFunction<SpdEntry> hashes, int shift) {
        if (at instanceof PolicySet policies) {
            return PolicyArray.remove(policies, entry);
        }
        HashTrie trie = (HashTrie) at;
        int bit = trie.bit(hashes.applyAsInt(entry), shift);
        PolicyNode rest = remove(trie.at(bit), entry, hashes, shift + BITS);
        if (rest == null && trie.children.length == 1) {
            return null;
        }
        HashTrie left = rest == null ? trie.without(bit) : trie.with(bit, rest, trie.best);
        boolean alone = left.children.length == 1 && !(left.children[0] instanceof HashTrie);
        return alone ? left.children[0] : entry == trie.best ? left.ranked() : left;
    }

    /** As {@link PolicySet#better}. The best of all is mostly the one, as those here match the same flows. */
    SpdEntry better(Flow flow, int lists, SpdEntry bound) {
        SpdEntry found = best.better(flow, lists, bound);
        if (found == best || best.rank > bound.rank) {
            return found;
        }
        for (PolicyNode child : children) {
            found = child instanceof HashTrie trie
                    ? trie.better(flow, lists, found)
                    : ((PolicySet) child).better(flow, lists, found);
        }
        return found;
    }

    private static SpdEntry better(SpdEntry one, SpdEntry other) {
        return one.precedes(other) ? one : other;
    }

    private int bit(int hash, int shift) {
        return 1 << (hash >>> shift & DIGIT_MASK);
    }

    private int index(int bit) {
        return Integer.bitCount(digits & bit - 1);
    }

    private PolicyNode at(int bit) {
        return (digits & bit) == 0 ? null : children[index(bit)];
    }

    private HashTrie with(int bit, PolicyNode child, SpdEntry newBest) {
        int count = children.length;
        int index = index(bit);
        boolean had = (digits & bit) != 0;
        PolicyNode[] copy =
                had ? children.clone() : ArrayCopies.open(children, count, new PolicyNode[count + 1], index);
        copy[index] = child;
        return new HashTrie(digits | bit, copy, newBest);
    }

    private HashTrie without(int bit) {
        int count = children.length;
        return new HashTrie(
                digits & ~bit, ArrayCopies.close(children, count, new PolicyNode[count - 1], index(bit)), best);
    }

    /** The same once the best has gone. */
    private HashTrie ranked() {
        SpdEntry first = children[0].sample();
        for (PolicyNode child : children) {
            first = better(first, child.sample());
        }
        return new HashTrie(digits, children, first);
    }

    @Override
    public long bestRank() {
        return best.rank;
    }

    @Override
    public SpdEntry sample() {
        return best;
    }

    @Override
    public void forEach(Consumer<SpdEntry> action) {
        for (PolicyNode child : children) {
            child.forEach(action);
        }
    }
}
