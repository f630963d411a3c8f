package org.xfrmbridge.db;

import java.lang.invoke.VarHandle;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.xfrmbridge.xfrm.Flow;
import org.xfrmbridge.xfrm.Policy;
import org.xfrmbridge.xfrm.PolicyName;

/**
 * Finds the policy of a flow among those of one type, direction and family. Policies of the first few pairs of prefix
 * lengths, exact ones always, are in a {@link PrefixPairTable} for each pair. All others are in a {@link Trie} of
 * destinations whose nodes hold tries of sources, and a lookup leaves out every branch that has nothing better than
 * what it has found: that bounds it by the prefixes of the flow's own addresses, however many policies there are, and
 * mostly by far less.
 *
 * <p>The control thread writes, any thread looks up and never waits. What a reader searches never changes, or tells by
 * a count that it has: each change is published as a whole, an update too, so that at every moment a flow finds the old
 * policy or the new one.
 */
final class Classifier {
    /**
     * Most databases have no more pairs than that; and so many probes that find nothing cost less than a million
     * policies in a trie.
     */
    private static final int MOST_TABLES = 8;

    /** Policies of a pair that a probe of its own is worth once there is a trie. */
    private static final int LEAST_WORTH = 64;

    /**
     * A search is made again if something changed meanwhile. While more changes than it can ever get past, its last
     * answer must do.
     */
    private static final int TRIES = 256;

    private static final PrefixPairTable[] NO_TABLES = {};

    private final AtomicInteger changes = new AtomicInteger();
    private volatile PrefixPairTable[] tables = NO_TABLES;
    private volatile PolicySet prefixed;
    private volatile boolean isRetired;

    /**
     * The one table, if it has keys and there is no trie; else null. It is null before anything is published that makes
     * it so.
     */
    private volatile PrefixPairTable only;

    /** Any thread. */
    Policy lookup(Flow flow) {
        int seen = changes.get();
        PrefixPairTable table = only;
        if (table == null || flow.ifId != 0) {
            return lookupAll(flow);
        }
        Policy alone = table.aloneByKey(flow);
        boolean isAll = alone != null || !table.hasOthers();
        return isAll && seen == changes.get() ? alone : lookupAll(flow);
    }

    private Policy lookupAll(Flow flow) {
        if (prefixed != null) {
            return search(flow);
        }
        int seen = changes.get();
        Policy single = null;
        int found = 0;
        for (PrefixPairTable table : tables) {
            Policy alone = table.alone(flow);
            if (alone != null) {
                single = alone;
                found++;
            } else if (table.hasOthers()) {
                return search(flow);
            }
        }
        return prefixed == null && found <= 1 && seen == changes.get() ? single : search(flow);
    }

    /** By rank, which takes a look at every policy that is found. */
    private Policy search(Flow flow) {
        SpdEntry best;
        PolicySet root;
        int seen;
        int tries = 0;
        do {
            seen = changes.get();
            best = searchTables(flow, SpdEntry.ALL_LISTS, SpdEntry.NONE);
            root = prefixed;
            // What was read may not be read later than the count is read again.
            VarHandle.acquireFence();
        } while (seen != changes.get() && ++tries < TRIES);
        best = root == null ? best : root.better(flow, SpdEntry.ALL_LISTS, best);
        Policy found = best.isUpdate() ? searchLists(flow) : best.policy();
        return isRetired ? null : found;
    }

    /**
     * The same where that takes several searches, which must be of one moment. A change is counted once it is made, so
     * that one may be under way uncounted: it lies in one of two answers or between them, and the other one is of one
     * moment. If they are alike, so are both.
     */
    private Policy searchLists(Flow flow) {
        Policy found;
        Policy again;
        int seen;
        int tries = 0;
        do {
            seen = changes.get();
            found = searchLists(flow, prefixed);
            again = searchLists(flow, prefixed);
            VarHandle.acquireFence();
        } while ((found != again || seen != changes.get()) && ++tries < TRIES);
        return again;
    }

    private Policy searchLists(Flow flow, PolicySet root) {
        SpdEntry best = search(flow, SpdEntry.ALL_LISTS, SpdEntry.NONE, root);
        return best.isUpdate() ? oldestOfLists(flow, best, root) : best.policy();
    }

    /**
     * An update keeps its position within its list only, so that what leads by position may be younger than the best of
     * another list: of the best of each list, the oldest is the one.
     */
    private Policy oldestOfLists(Flow flow, SpdEntry leader, PolicySet root) {
        Policy oldest = leader.policy();
        SpdEntry ceiling = leader.ceiling();
        for (int list = 1; list < SpdEntry.ALL_LISTS; list <<= 1) {
            SpdEntry best = list == leader.list ? leader : search(flow, list, ceiling, root);
            if (best != ceiling && best.policy().age() < oldest.age()) {
                oldest = best.policy();
            }
        }
        return oldest;
    }

    private SpdEntry search(Flow flow, int lists, SpdEntry bound, PolicySet root) {
        SpdEntry best = searchTables(flow, lists, bound);
        return root == null ? best : root.better(flow, lists, best);
    }

    private SpdEntry searchTables(Flow flow, int lists, SpdEntry bound) {
        SpdEntry best = bound;
        for (PrefixPairTable table : tables) {
            best = table.better(flow, lists, best);
        }
        return best;
    }

    /** The entry that a client means, or null. Control thread, like all below. @param probe has the bits of the name */
    SpdEntry find(PolicyName name, SpdEntry probe) {
        PrefixPairTable table = table(probe);
        PolicySet policies = table == null ? prefixed : table.between(probe);
        return policies == null ? null : policies.named(name, probe);
    }

    /** @param old an entry of the same selector that it replaces, or null */
    void put(SpdEntry entry, SpdEntry old) {
        PrefixPairTable table = table(entry);
        if (table == null && mayHaveTable(entry)) {
            table = new PrefixPairTable(entry, changes);
            List<PrefixPairTable> more = new ArrayList<>(List.of(tables));
            more.add(table);
            publish(more);
        }
        if (table != null) {
            table.put(entry, old);
        } else {
            if (prefixed == null) {
                only = null;
                moveSmallTables();
            }
            PolicySet more = Trie.add(prefixed, entry, Trie.Side.DADDR);
            prefixed = old == null ? more : Trie.remove(more, old, Trie.Side.DADDR);
        }
        chooseOnly();
    }

    void remove(SpdEntry entry) {
        PrefixPairTable table = table(entry);
        if (table == null) {
            prefixed = Trie.remove(prefixed, entry, Trie.Side.DADDR);
        } else {
            removeFrom(table, entry);
        }
        chooseOnly();
    }

    private void removeFrom(PrefixPairTable table, SpdEntry entry) {
        table.remove(entry);
        if (table.size() == 0) {
            List<PrefixPairTable> left = new ArrayList<>(List.of(tables));
            left.remove(table);
            publish(left);
        }
    }

    /**
     * All its policies are about to leave, and it is out of use. Several tables cannot be emptied at once, but who
     * still searches them finds none.
     */
    void retire() {
        isRetired = true;
    }

    /** Ends every change. */
    private void chooseOnly() {
        PrefixPairTable next = prefixed == null && tables.length == 1 && tables[0].hasKeys() ? tables[0] : null;
        if (next != only) {
            only = next;
        }
    }

    private PrefixPairTable table(SpdEntry entry) {
        for (PrefixPairTable table : tables) {
            if (table.isFor(entry)) {
                return table;
            }
        }
        return null;
    }

    /** A pair is in the trie or in a table, never in both. */
    private boolean mayHaveTable(SpdEntry entry) {
        return entry.list == SpdEntry.EXACT || prefixed == null && tables.length < MOST_TABLES;
    }

    /**
     * Once there is a trie to search, a few policies are found sooner there. For a while they are in both, or a lookup
     * could miss both.
     */
    private void moveSmallTables() {
        List<PrefixPairTable> large = new ArrayList<>();
        for (PrefixPairTable table : tables) {
            if (table.isExact() || table.size() >= LEAST_WORTH) {
                large.add(table);
            } else {
                table.forEach(entry -> prefixed = Trie.add(prefixed, entry, Trie.Side.DADDR));
            }
        }
        publish(large);
    }

    private void publish(List<PrefixPairTable> next) {
        only = null;
        tables = next.toArray(NO_TABLES);
        PrefixPairTable.count(changes);
    }
}
