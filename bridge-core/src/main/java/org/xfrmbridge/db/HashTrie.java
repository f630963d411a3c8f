package org.xfrmbridge.db;

/**
 * Policies of one {@link Shape} by their hash, five bits of it at a level. Places without a policy are not kept; what stands in a place is
 * a policy, a {@link Bag} of those that have all bits in common, or another level.
 */
final class HashTrie implements Ranked {
    private static final int BITS = 5;
    private static final int DIGIT_MASK = (1 << BITS) - 1;

    /** A bit for each digit that has a place. */
    private final int digits;

    private final Ranked[] places;
    private final long bestRank;

    private HashTrie(int digits, Ranked[] places, long bestRank) {
        this.digits = digits;
        this.places = places;
        this.bestRank = bestRank;
    }

    /** The policies below {@code root} with this hash; maybe others too. Null if none. */
    static Shelf get(Ranked root, int hash) {
        Ranked at = root;
        int rest = hash;
        while (at instanceof HashTrie trie) {
            int bit = 1 << (rest & DIGIT_MASK);
            if ((trie.digits & bit) == 0) {
                return null;
            }
            at = trie.places[trie.index(bit)];
            rest >>>= BITS;
        }
        return (Shelf) at;
    }

    /** @param shift bits of the hash that led to {@code at}, which may be null */
    static Ranked add(Ranked at, SpdEntry entry, Shape shape, int shift) {
        if (at == null) {
            return entry;
        }
        int hash = shape.hash(entry);
        if (at instanceof HashTrie trie) {
            int bit = trie.bit(hash, shift);
            return trie.with(bit, add(trie.at(bit), entry, shape, shift + BITS), Math.min(trie.bestRank, entry.rank));
        }
        int otherHash = shape.hash(at.sample());
        if (hash == otherHash) {
            return at instanceof Bag bag ? bag.with(entry) : Bag.of((SpdEntry) at, entry);
        }
        HashTrie level = new HashTrie(1 << (otherHash >>> shift & DIGIT_MASK), new Ranked[] {at}, at.bestRank());
        return add(level, entry, shape, shift);
    }

    /** What is left, null if nothing. */
    static Ranked remove(Ranked at, SpdEntry entry, Shape shape, int shift) {
        if (at instanceof Bag bag) {
            return bag.without(entry);
        }
        if (at == entry) {
            return null;
        }
        HashTrie trie = (HashTrie) at;
        int bit = trie.bit(shape.hash(entry), shift);
        Ranked rest = remove(trie.at(bit), entry, shape, shift + BITS);
        if (rest == null && trie.places.length == 1) {
            return null;
        }
        HashTrie left = rest == null ? trie.without(bit) : trie.with(bit, rest, trie.bestRank);
        boolean alone = left.places.length == 1 && !(left.places[0] instanceof HashTrie);
        return alone ? left.places[0] : entry.rank == trie.bestRank ? left.ranked() : left;
    }

    private int bit(int hash, int shift) {
        return 1 << (hash >>> shift & DIGIT_MASK);
    }

    private int index(int bit) {
        return Integer.bitCount(digits & bit - 1);
    }

    private Ranked at(int bit) {
        return (digits & bit) == 0 ? null : places[index(bit)];
    }

    private HashTrie with(int bit, Ranked place, long rank) {
        int count = places.length;
        int index = index(bit);
        boolean had = (digits & bit) != 0;
        Ranked[] copy = had ? places.clone() : Spread.open(places, count, new Ranked[count + 1], index);
        copy[index] = place;
        return new HashTrie(digits | bit, copy, rank);
    }

    private HashTrie without(int bit) {
        int count = places.length;
        return new HashTrie(digits & ~bit, Spread.close(places, count, new Ranked[count - 1], index(bit)), bestRank);
    }

    /** The same once the best has gone. */
    private HashTrie ranked() {
        long best = Long.MAX_VALUE;
        for (Ranked place : places) {
            best = Math.min(best, place.bestRank());
        }
        return new HashTrie(digits, places, best);
    }

    @Override
    public long bestRank() {
        return bestRank;
    }

    @Override
    public SpdEntry sample() {
        return places[0].sample();
    }
}
