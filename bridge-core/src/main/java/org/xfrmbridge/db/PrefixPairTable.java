package org.xfrmbridge.db;

import java.lang.invoke.VarHandle;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import org.xfrmbridge.xfrm.AddressFamily;
import org.xfrmbridge.xfrm.Flow;
import org.xfrmbridge.xfrm.Policy;

/**
 * Policies of the same two prefix lengths, by both prefixes. Of IPv4 prefixes with a single policy, for all that they
 * send each other, a {@link LongHashTable} gives the Policy itself; what stands between other prefixes is a
 * {@link PolicySet}. The control thread writes, any thread looks up.
 */
final class PrefixPairTable {
    private final int daddrLength;
    private final int saddrLength;
    private final long daddrHighMask;
    private final long daddrLowMask;
    private final long saddrHighMask;
    private final long saddrLowMask;
    private final boolean isExact;
    private final boolean hasKeys;
    private final long keyMask;
    private final LongHashTable<Policy> alone = new LongHashTable<>(Policy[]::new);
    private final HashTable<PolicySet> others = new HashTable<>();
    private final AtomicInteger changes;
    private volatile boolean hasOthers;
    private int size;

    /**
     * @param sample of the family and prefix lengths, not put in
     * @param changes is another number after every change, and in the middle of one that takes more than one write:
     *     what is read of several tables is of one moment if it was the same before and after
     */
    PrefixPairTable(SpdEntry sample, AtomicInteger changes) {
        daddrLength = sample.daddrLength();
        saddrLength = sample.saddrLength();
        daddrHighMask = Prefix.high(-1L, daddrLength);
        daddrLowMask = Prefix.low(-1L, daddrLength);
        saddrHighMask = Prefix.high(-1L, saddrLength);
        saddrLowMask = Prefix.low(-1L, saddrLength);
        isExact = sample.list == SpdEntry.EXACT;
        hasKeys = sample.family() == AddressFamily.INET;
        keyMask = key(daddrHighMask, saddrHighMask);
        this.changes = changes;
    }

    boolean isExact() {
        return isExact;
    }

    /** Whether policies that are alone are found by keys: those of IPv4 are. */
    boolean hasKeys() {
        return hasKeys;
    }

    boolean isFor(SpdEntry entry) {
        return entry.daddrLength() == daddrLength && entry.saddrLength() == saddrLength;
    }

    /**
     * The only policy between a flow's prefixes, which matches it, or null if they have none or several. Any thread.
     */
    Policy alone(Flow flow) {
        return hasKeys && flow.ifId == 0 ? aloneByKey(flow) : null;
    }

    /** The same for a table that has keys, and a flow without interface id. */
    Policy aloneByKey(Flow flow) {
        LongHashTable.Table<Policy> table = alone.table();
        int slot = table.find(key(flow.daddrHigh, flow.saddrHigh) & keyMask);
        Policy[] policies = table.entries();
        Policy found = slot < 0 ? null : policies[slot];
        VarHandle.acquireFence();
        return found;
    }

    /** Whether there may be policies that {@link #alone} does not give. Ask it later. Any thread. */
    boolean hasOthers() {
        return hasOthers;
    }

    /** As {@link PolicySet#better}; right unless something changes meanwhile. Any thread. */
    SpdEntry better(Flow flow, int lists, SpdEntry best) {
        Policy policy = alone(flow);
        SpdEntry entry = policy == null ? null : SpdEntry.of(policy);
        if (entry != null) {
            return entry.better(flow, lists, best);
        }
        if (!hasOthers) {
            return best;
        }
        int hash = hash(flow.daddrHigh, flow.daddrLow, flow.saddrHigh, flow.saddrLow);
        HashTable.Table<PolicySet> table = others.table();
        for (int i = table.find(hash); i >= 0; i = table.findNext(i, hash)) {
            PolicySet policies = table.at(i);
            if (policies != null && policies.sample().hasAddressesOf(flow)) {
                return policies.better(flow, lists, best);
            }
        }
        return best;
    }

    /** All policies between an entry's prefixes, or null. Control thread, like all below. */
    PolicySet between(SpdEntry entry) {
        Policy policy = hasKeys ? alone.get(key(entry)) : null;
        if (policy != null) {
            return SpdEntry.of(policy);
        }
        if (others.size() == 0) {
            return null;
        }
        int hash = hash(entry);
        HashTable.Table<PolicySet> table = others.table();
        for (int i = table.find(hash); i >= 0; i = table.findNext(i, hash)) {
            if (table.at(i).sample().hasAddressesOf(entry)) {
                return table.at(i);
            }
        }
        return null;
    }

    /** @param old an entry that it replaces, or null */
    void put(SpdEntry entry, SpdEntry old) {
        PolicySet policies = between(entry);
        replace(policies, policies == old ? entry : with(policies, entry, old));
        size += old == null ? 1 : 0;
    }

    private static PolicySet with(PolicySet policies, SpdEntry entry, SpdEntry old) {
        PolicySet more = PolicyArray.add(policies, entry);
        return old == null ? more : PolicyArray.remove(more, old);
    }

    void remove(SpdEntry entry) {
        if (mayBeAlone(entry) && alone.remove(key(entry), entry.policy())) {
            count(changes);
        } else {
            PolicySet policies = between(entry);
            replace(policies, PolicyArray.remove(policies, entry));
        }
        size--;
    }

    /** Number of policies. */
    int size() {
        return size;
    }

    void forEach(Consumer<SpdEntry> action) {
        alone.forEach(policy -> action.accept(SpdEntry.of(policy)));
        others.forEach(policies -> policies.forEach(action));
    }

    /** Either may be null, for none. What goes from one table to the other is in both for a while. */
    private void replace(PolicySet old, PolicySet next) {
        SpdEntry wasAlone = ifAlone(old);
        SpdEntry isAlone = ifAlone(next);
        if (isAlone != null && wasAlone != null) {
            alone.replace(key(isAlone), isAlone.policy());
        } else if (isAlone != null) {
            alone.add(key(isAlone), isAlone.policy());
        } else if (next != null && (old == null || wasAlone != null)) {
            hasOthers = true;
            others.add(next, hash(next.sample()));
        } else if (next != null) {
            others.replace(old, next, hash(next.sample()));
        }
        count(changes);
        if (wasAlone != null && isAlone == null) {
            alone.remove(key(wasAlone));
        } else if (old != null && wasAlone == null && (next == null || isAlone != null)) {
            others.remove(old, hash(old.sample()));
            hasOthers = others.size() != 0;
        } else {
            return;
        }
        count(changes);
    }

    /** One thread writes: that needs no instruction which waits for all processors. */
    static void count(AtomicInteger changes) {
        changes.setRelease(changes.getPlain() + 1);
    }

    private SpdEntry ifAlone(PolicySet policies) {
        return policies instanceof SpdEntry entry && mayBeAlone(entry) ? entry : null;
    }

    private boolean mayBeAlone(SpdEntry entry) {
        return hasKeys && entry.matchesAll() && LongHashTable.isKey(key(entry));
    }

    private static long key(SpdEntry entry) {
        return key(entry.daddrHigh, entry.saddrHigh);
    }

    /** Of two IPv4 prefixes. */
    private static long key(long daddrHigh, long saddrHigh) {
        return daddrHigh & ~0xffffffffL | saddrHigh >>> 32;
    }

    private int hash(SpdEntry entry) {
        return hash(entry.daddrHigh, entry.daddrLow, entry.saddrHigh, entry.saddrLow);
    }

    private int hash(long daddrHigh, long daddrLow, long saddrHigh, long saddrLow) {
        long daddr = Hashing.mix(daddrHigh & daddrHighMask, daddrLow & daddrLowMask);
        return Hashing.fold(Hashing.mix(Hashing.mix(daddr, saddrHigh & saddrHighMask), saddrLow & saddrLowMask));
    }
}
