package org.xfrmbridge.db;

import java.util.function.Consumer;
import org.xfrmbridge.xfrm.Flow;
import org.xfrmbridge.xfrm.PolicyName;

/** A few policies, the best first. */
final class PolicyArray implements PolicySet {
    /** Those of the same addresses that are more than this are told apart by their other bits. */
    private static final int MOST = 16;

    private final SpdEntry[] entries;

    private PolicyArray(SpdEntry... entries) {
        this.entries = entries;
    }

    static PolicyArray of(SpdEntry one, SpdEntry other) {
        return one.precedes(other) ? new PolicyArray(one, other) : new PolicyArray(other, one);
    }

    // A client's first policies come here: a switch over types would make a class for itself.

    /** Adds to policies of the same addresses. */
    static PolicySet add(PolicySet policies, SpdEntry entry) {
        if (policies instanceof SpdEntry other) {
            return of(other, entry);
        }
        if (policies instanceof PolicyArray array) {
            return array.size() >= MOST ? TupleSpace.of(array).with(entry) : array.with(entry);
        }
        if (policies instanceof TupleSpace space) {
            return space.with(entry);
        }
        throw notOfTheSameAddresses(policies);
    }

    private static IllegalStateException notOfTheSameAddresses(PolicySet policies) {
        return new IllegalStateException(
                policies instanceof Trie ? "a trie has policies of several addresses" : "a part of a larger set");
    }

    /** Adds to policies that match the same flows. */
    static PolicySet addAlike(PolicySet alike, SpdEntry entry) {
        if (alike instanceof PolicyArray array) {
            return array.size() >= MOST && PoliciesByName.tellsApart(array, entry)
                    ? PoliciesByName.of(array, entry)
                    : array.with(entry);
        }
        return alike instanceof PoliciesByName byName ? byName.with(entry) : of((SpdEntry) alike, entry);
    }

    /** Null if it was the last. */
    static PolicySet remove(PolicySet policies, SpdEntry entry) {
        if (policies instanceof SpdEntry) {
            return null;
        }
        if (policies instanceof PolicyArray array) {
            return array.without(entry);
        }
        if (policies instanceof TupleSpace space) {
            return space.without(entry);
        }
        if (policies instanceof PoliciesByName byName) {
            return byName.without(entry);
        }
        throw notOfTheSameAddresses(policies);
    }

    int size() {
        return entries.length;
    }

    SpdEntry at(int position) {
        return entries[position];
    }

    PolicyArray with(SpdEntry entry) {
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
        SpdEntry[] more = ArrayCopies.open(entries, entries.length, new SpdEntry[entries.length + 1], at);
        more[at] = entry;
        return new PolicyArray(more);
    }

    /** The rest, a lone entry as itself. */
    PolicySet without(SpdEntry entry) {
        if (entries.length == 2) {
            return entries[0] == entry ? entries[1] : entries[0];
        }
        int at = 0;
        while (entries[at] != entry) {
            at++;
        }
        return new PolicyArray(ArrayCopies.close(entries, entries.length, new SpdEntry[entries.length - 1], at));
    }

    @Override
    public long bestRank() {
        return entries[0].rank;
    }

    @Override
    public SpdEntry better(Flow flow, int lists, SpdEntry best) {
        for (SpdEntry entry : entries) {
            if (entry.rank > best.rank) {
                return best;
            }
            if (entry.better(flow, lists, best) == entry) {
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
