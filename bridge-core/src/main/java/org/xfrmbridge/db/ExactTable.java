package org.xfrmbridge.db;

import java.lang.invoke.VarHandle;
import org.xfrmbridge.xfrm.AddressFamily;
import org.xfrmbridge.xfrm.Flow;
import org.xfrmbridge.xfrm.Policy;

/**
 * Policies between two hosts, by both addresses. Of IPv4 hosts with a single policy, for all that they send each other, a {@link KeyTable}
 * gives the Policy itself; what stands between other hosts is a {@link Shelf}. The control thread writes, any thread looks up.
 */
final class ExactTable {
    private final long highMask;
    private final long lowMask;
    private final KeyTable<Policy> alone = new KeyTable<>(Policy[]::new);
    private final Slots<Shelf> others = new Slots<>();
    private volatile int changes;

    ExactTable(int family) {
        highMask = Prefix.highMask(Math.min(AddressFamily.bits(family), Long.SIZE));
        lowMask = family == AddressFamily.INET ? 0 : -1L;
    }

    /** A number that is another after every change: what is read before and after it was the same is of one moment. Any thread. */
    int changes() {
        return changes;
    }

    /** The only policy between a flow's hosts, which matches it, or null if they have none or several. Any thread. */
    Policy alone(Flow flow) {
        if (lowMask != 0 || flow.ifId != 0) {
            return null;
        }
        KeyTable.Table<Policy> table = alone.table();
        int slot = table.find(key(flow.daddrHigh, flow.saddrHigh));
        Policy[] policies = table.entries();
        Policy found = slot < 0 ? null : policies[slot];
        VarHandle.acquireFence();
        return found;
    }

    /** As {@link Shelf#better}; right unless {@link #changes} meanwhile. Any thread. */
    SpdEntry better(Flow flow, int lanes, SpdEntry best) {
        Policy policy = alone(flow);
        SpdEntry entry = policy == null ? null : (SpdEntry) policy.place;
        if (entry != null) {
            return entry.better(flow, lanes, best);
        }
        int hash = hash(flow.daddrHigh, flow.daddrLow, flow.saddrHigh, flow.saddrLow);
        Slots.Table<Shelf> table = others.table();
        for (int i = table.find(hash); i >= 0; i = table.findNext(i, hash)) {
            Shelf shelf = table.at(i);
            if (shelf != null && shelf.sample().hasAddressesOf(flow)) {
                return shelf.better(flow, lanes, best);
            }
        }
        return best;
    }

    /** All policies between an entry's hosts, or null. Control thread, like all below. */
    Shelf shelf(SpdEntry entry) {
        Policy policy = lowMask == 0 ? alone.get(key(entry)) : null;
        if (policy != null) {
            return (SpdEntry) policy.place;
        }
        int hash = hash(entry);
        Slots.Table<Shelf> table = others.table();
        for (int i = table.find(hash); i >= 0; i = table.findNext(i, hash)) {
            if (table.at(i).sample().hasAddressesOf(entry)) {
                return table.at(i);
            }
        }
        return null;
    }

    /** @param old an entry that it takes the place of, or null */
    void put(SpdEntry entry, SpdEntry old) {
        Shelf shelf = shelf(entry);
        Shelf more = shelf == null ? entry : Bag.add(shelf, entry);
        replace(shelf, old == null ? more : Bag.remove(more, old));
    }

    void remove(SpdEntry entry) {
        Shelf shelf = shelf(entry);
        replace(shelf, Bag.remove(shelf, entry));
    }

    void clear() {
        alone.clear();
        others.clear();
        changes++;
    }

    /** Either may be null, for none. What goes from one table to the other is in both for a while. */
    private void replace(Shelf old, Shelf next) {
        SpdEntry wasAlone = ifAlone(old);
        SpdEntry isAlone = ifAlone(next);
        if (isAlone != null && wasAlone != null) {
            alone.replace(key(isAlone), isAlone.policy());
        } else if (isAlone != null) {
            alone.add(key(isAlone), isAlone.policy());
        } else if (next != null && (old == null || wasAlone != null)) {
            others.add(next, hash(next.sample()));
        } else if (next != null) {
            others.replace(old, next, hash(next.sample()));
        }
        changes++;
        if (wasAlone != null && isAlone == null) {
            alone.remove(key(wasAlone));
        } else if (old != null && wasAlone == null && (next == null || isAlone != null)) {
            others.remove(old, hash(old.sample()));
        }
        changes++;
    }

    private SpdEntry ifAlone(Shelf shelf) {
        return lowMask == 0 && shelf instanceof SpdEntry entry && entry.matchesAll() && KeyTable.isKey(key(entry)) ? entry : null;
    }

    private static long key(SpdEntry entry) {
        return key(entry.daddrHigh, entry.saddrHigh);
    }

    /** Of two IPv4 addresses. */
    private static long key(long daddrHigh, long saddrHigh) {
        return daddrHigh & ~0xffffffffL | saddrHigh >>> 32;
    }

    private int hash(SpdEntry entry) {
        return hash(entry.daddrHigh, entry.daddrLow, entry.saddrHigh, entry.saddrLow);
    }

    private int hash(long daddrHigh, long daddrLow, long saddrHigh, long saddrLow) {
        long daddr = Hashing.mix(daddrHigh & highMask, daddrLow & lowMask);
        return Hashing.fold(Hashing.mix(Hashing.mix(daddr, saddrHigh & highMask), saddrLow & lowMask));
    }
}
