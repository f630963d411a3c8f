package org.xfrmbridge.db;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.xfrmbridge.xfrm.Address;
import org.xfrmbridge.xfrm.AddressFamily;
import org.xfrmbridge.xfrm.Direction;
import org.xfrmbridge.xfrm.Flow;
import org.xfrmbridge.xfrm.Policy;
import org.xfrmbridge.xfrm.PolicySpec;
import org.xfrmbridge.xfrm.Selector;

/**
 * The naive Spd: a list for each type, direction and family, which is searched from end to end and compares addresses
 * bit by bit. What an update does to the order is as Linux 6.18 showed it with {@code ip xfrm policy update} and the
 * ACQUIREs of a ping.
 */
public final class PolicyList {
    /** @param position where it stands in its list, which an update of the same priority inherits */
    private record Entry(Policy policy, long age, long position) {}

    /** Whose policies are alternatives for some flow. */
    private record Kind(PolicySpec.Type type, Direction direction, int family) {
        static Kind of(PolicySpec spec) {
            return new Kind(spec.type(), spec.direction(), spec.selector().family());
        }
    }

    private final List<Entry> entries = new ArrayList<>();
    private final Map<Kind, List<Entry>> byKind = new HashMap<>();
    private long nextAge;

    /** Takes a Policy in, in the place of another or, if that is null, behind all others. */
    public void put(Policy policy, Policy old) {
        Entry replaced = old == null ? null : entryOf(old);
        boolean keepsPosition =
                old != null && old.spec().priority() == policy.spec().priority();
        Entry entry = new Entry(policy, nextAge, keepsPosition ? replaced.position : nextAge);
        if (old != null) {
            remove(old);
        }
        entries.add(entry);
        alternatives(Kind.of(policy.spec())).add(entry);
        nextAge++;
    }

    public void remove(Policy policy) {
        Entry entry = entryOf(policy);
        entries.remove(entry);
        alternatives(Kind.of(policy.spec())).remove(entry);
    }

    private List<Entry> alternatives(Kind kind) {
        return byKind.computeIfAbsent(kind, any -> new ArrayList<>());
    }

    private Entry entryOf(Policy policy) {
        for (Entry entry : alternatives(Kind.of(policy.spec()))) {
            if (entry.policy == policy) {
                return entry;
            }
        }
        throw new AssertionError(policy + " is not in the list");
    }

    /** Oldest first. */
    public List<Policy> policies() {
        return entries.stream().map(Entry::policy).toList();
    }

    public int size() {
        return entries.size();
    }

    public Policy get(int index) {
        return entries.get(index).policy;
    }

    /** The one with the name of a spec, or null. */
    public Policy named(PolicySpec spec) {
        for (Entry entry : alternatives(Kind.of(spec))) {
            PolicySpec other = entry.policy.spec();
            if (other.ifId() == spec.ifId()
                    && other.selector().equals(spec.selector())
                    && other.mark().equals(spec.mark())
                    && (other.securityContext() == null) == (spec.securityContext() == null)) {
                return entry.policy;
            }
        }
        return null;
    }

    /** The one that rules a flow, or null. */
    public Policy lookup(PolicySpec.Type type, Direction direction, Flow flow) {
        Entry[] bestOfList = new Entry[5];
        for (Entry entry : alternatives(new Kind(type, direction, flow.family))) {
            PolicySpec spec = entry.policy.spec();
            int list = list(spec.selector());
            if (matches(spec, flow) && (bestOfList[list] == null || leads(entry, bestOfList[list]))) {
                bestOfList[list] = entry;
            }
        }
        Entry best = null;
        for (Entry entry : bestOfList) {
            best = entry != null && (best == null || wins(entry, best)) ? entry : best;
        }
        return best == null ? null : best.policy;
    }

    /** Which list of a kernel: exact, or by whether each side has a prefix long enough for a tree. */
    private static int list(Selector selector) {
        boolean inet = selector.family() == AddressFamily.INET;
        int bits = inet ? 32 : 128;
        int least = inet ? 16 : 48;
        if (selector.daddrPrefix() == bits && selector.saddrPrefix() == bits) {
            return 0;
        }
        // The addresses of RandomFlows are never zero.
        return 1 + (selector.daddrPrefix() < least ? 0 : 2) + (selector.saddrPrefix() < least ? 0 : 1);
    }

    private static boolean leads(Entry entry, Entry best) {
        int order = order(entry, best);
        return order < 0 || order == 0 && entry.position < best.position;
    }

    private static boolean wins(Entry entry, Entry best) {
        int order = order(entry, best);
        return order < 0 || order == 0 && entry.age < best.age;
    }

    private static int order(Entry entry, Entry best) {
        return Integer.compareUnsigned(
                entry.policy.spec().priority(), best.policy.spec().priority());
    }

    /** Whether a Policy is for a flow: selector, mark and interface id. */
    public static boolean matches(PolicySpec spec, Flow flow) {
        return spec.selector().family() == flow.family
                && spec.ifId() == flow.ifId
                && (flow.mark & spec.mark().mask()) == spec.mark().value()
                && matches(spec.selector(), flow);
    }

    /** Whether a flow of the right family is one of a selector's. */
    public static boolean matches(Selector selector, Flow flow) {
        return (selector.protocol() == 0 || selector.protocol() == flow.protocol)
                && (selector.ifindex() == 0
                        || selector.ifindex() == flow.ifindex
                        || selector.ifindex() == flow.lowerIfindex)
                && (selector.sport() & selector.sportMask()) == (flow.sport & selector.sportMask())
                && (selector.dport() & selector.dportMask()) == (flow.dport & selector.dportMask())
                && samePrefix(selector.saddr(), flow.saddr(), selector.saddrPrefix())
                && samePrefix(selector.daddr(), flow.daddr(), selector.daddrPrefix());
    }

    private static boolean samePrefix(Address one, Address other, int prefixBits) {
        for (int i = 0; i < prefixBits; i++) {
            if (bit(one, i) != bit(other, i)) {
                return false;
            }
        }
        return true;
    }

    private static long bit(Address address, int index) {
        return (index < 64 ? address.high() : address.low()) >>> 63 - index % 64 & 1;
    }
}
