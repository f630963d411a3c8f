package org.xfrmbridge.db;

import java.util.function.Consumer;
import org.xfrmbridge.xfrm.Flow;
import org.xfrmbridge.xfrm.PolicyName;

/** A few policies, the best first. */
final class Bag implements Shelf {
    /** Those of the same addresses that are more than this are told apart by their other bits. */
    private static final int MOST = 16;

    private final SpdEntry[] entries;

    private Bag(SpdEntry... entries) {
        this.entries = entries;
    }

    static Bag of(SpdEntry one, SpdEntry other) {
        return one.precedes(other) ? new Bag(one, other) : new Bag(other, one);
    }

    /** Adds to policies of the same addresses. */
    static Shelf add(Shelf shelf, SpdEntry entry) {
        return switch (shelf) {
            case SpdEntry other -> of(other, entry);
            case Bag bag when bag.size() >= MOST -> ShapedBag.of(bag).with(entry);
            case Bag bag -> bag.with(entry);
            case ShapedBag bag -> bag.with(entry);
            case NamedBag bag -> throw new IllegalStateException("a part of a larger shelf");
            case Trie trie -> throw new IllegalStateException("a trie has policies of several addresses");
        };
    }

    /** Adds to policies that match the same flows. */
    static Shelf addAlike(Shelf alike, SpdEntry entry) {
        return switch (alike) {
            case Bag bag when bag.size() >= MOST && NamedBag.tellsApart(bag, entry) -> NamedBag.of(bag, entry);
            case Bag bag -> bag.with(entry);
            case NamedBag bag -> bag.with(entry);
            default -> of((SpdEntry) alike, entry);
        };
    }

    /** Null if it was the last. */
    static Shelf remove(Shelf shelf, SpdEntry entry) {
        return switch (shelf) {
            case SpdEntry last -> null;
            case Bag bag -> bag.without(entry);
            case ShapedBag bag -> bag.without(entry);
            case NamedBag bag -> bag.without(entry);
            case Trie trie -> throw new IllegalStateException("a trie has policies of several addresses");
        };
    }

    int size() {
        return entries.length;
    }

    SpdEntry at(int position) {
        return entries[position];
    }

    Bag with(SpdEntry entry) {
        int at = 0;
        int end = entries.length;
        while (at < end) {
            int middle = at + end >>> 1;
            if (entries[middle].precedes(entry)) {
                at = middle + 1;
            } else {
                end = middle;
            }
        }
        SpdEntry[] more = Spread.open(entries, entries.length, new SpdEntry[entries.length + 1], at);
        more[at] = entry;
        return new Bag(more);
    }

    /** The rest, a lone entry as itself. */
    Shelf without(SpdEntry entry) {
        if (entries.length == 2) {
            return entries[0] == entry ? entries[1] : entries[0];
        }
        int at = 0;
        while (entries[at] != entry) {
            at++;
        }
        return new Bag(Spread.close(entries, entries.length, new SpdEntry[entries.length - 1], at));
    }

    @Override
    public long bestRank() {
        return entries[0].rank;
    }

    @Override
    public SpdEntry better(Flow flow, int lanes, SpdEntry best) {
        for (SpdEntry entry : entries) {
            if (entry.rank > best.rank) {
                return best;
            }
            if (entry.better(flow, lanes, best) == entry) {
                return entry;
            }
        }
        return best;
    }

    @Override
    public SpdEntry named(PolicyName name, SpdEntry probe) {
        for (SpdEntry entry : entries) {
            if (entry.named(name, probe) != null) {
                return entry;
            }
        }
        return null;
    }

    @Override
    public SpdEntry sample() {
        return entries[0];
    }

    @Override
    public void forEach(Consumer<SpdEntry> action) {
        for (SpdEntry entry : entries) {
            action.accept(entry);
        }
    }
}
