package org.xfrmbridge.db;

import java.util.List;
import java.util.concurrent.atomic.AtomicIntegerArray;
import java.util.concurrent.atomic.AtomicReferenceArray;
import java.util.function.Consumer;
import org.xfrmbridge.xfrm.AddressFamily;
import org.xfrmbridge.xfrm.Direction;
import org.xfrmbridge.xfrm.Flow;
import org.xfrmbridge.xfrm.Policy;
import org.xfrmbridge.xfrm.PolicyKey;
import org.xfrmbridge.xfrm.PolicyName;
import org.xfrmbridge.xfrm.PolicySpec;
import org.xfrmbridge.xfrm.Template;

/**
 * The security policy database, the tables of net/xfrm/xfrm_policy.c. The control thread writes; any thread looks up
 * and never waits. Selectors must be of family INET or INET6: a kernel refuses all others before it comes to its
 * tables.
 *
 * <p>A policy that replaces another takes its index. With the same priority it also takes its place before younger
 * ones, but only among policies that a kernel keeps in the same list: exact ones, those with a prefix of the source, of
 * the destination, of both, and those of any address. Against the others it counts as just added. Linux 6.18 was asked
 * for each of these.
 */
public final class Spd {
    private static final int DIRECTIONS = Direction.values().length;
    private static final int FAMILIES = 2;
    private static final int DIRECTION_MASK = 7;
    private static final int INDEX_STEP = 8;
    private static final int NAMING_INTERFACE = 3 * DIRECTIONS;

    private final Runnable beforeRemoval;
    private final AtomicReferenceArray<Classifier> classifiers =
            new AtomicReferenceArray<>(PolicySpec.Type.values().length * DIRECTIONS * FAMILIES);
    private final HashTable<SpdEntry> byIndex = new HashTable<>();
    private final WalkList<Policy> all = new WalkList<>();
    /**
     * By direction: all, those of sockets, and those that let through but do not count for all packets between their
     * addresses. Last, over all of them, those that name an interface.
     */
    private final AtomicIntegerArray counts = new AtomicIntegerArray(3 * DIRECTIONS + 1);

    private final PolicyChanges changes = new PolicyChanges();
    private final AtomicReferenceArray<PolicySpec.Action> defaults = new AtomicReferenceArray<>(DIRECTIONS);
    private final Interner interner = new Interner();
    private PolicyListener listener = new PolicyListener() {};
    /**
     * Has the bits of the name that is looked for, so that looking leaves no garbage. It becomes the entry of the next
     * policy that comes.
     */
    private SpdEntry probe = new SpdEntry();

    private long nextAge;
    private int nextIndex;

    /** An empty one of a host whose packets do not wait before they are judged. */
    public Spd() {
        this(() -> {});
    }

    /**
     * An empty one.
     *
     * @param beforeRemoval run on the control thread before a policy of dir out leaves, or what a socket had is found
     *     no more. A kernel judges a packet as it is sent; where packets wait before they are judged, those sent under
     *     the policy must not be judged without it: they would leave in the clear
     */
    public Spd(Runnable beforeRemoval) {
        this.beforeRemoval = beforeRemoval;
        for (int i = 0; i < classifiers.length(); i++) {
            classifiers.set(i, new Classifier());
        }
        for (int i = 0; i < DIRECTIONS; i++) {
            defaults.set(i, PolicySpec.Action.ALLOW);
        }
    }

    /**
     * The Policy for a flow: lowest priority value, then the oldest, over exact and prefixed alike. Null if none. Any
     * thread, never blocks.
     */
    public Policy lookup(PolicySpec.Type type, Direction direction, Flow flow) {
        return AddressFamily.isIp(flow.family)
                ? classifier(type, direction, flow.family).lookup(flow)
                : null;
    }

    /** Control thread: who is told of what comes and goes from now on, instead of the one before. */
    public void listen(PolicyListener told) {
        listener = told;
    }

    /** What has come lately; {@link PolicyFreshness} reads it. */
    PolicyChanges changes() {
        return changes;
    }

    /** Whether any policy of the direction exists: a cheap way out of every lookup. Any thread. */
    public boolean isEmpty(Direction direction) {
        return counts.get(direction.number()) == 0;
    }

    /** Number of policies of a direction, both types. Any thread. */
    public int count(Direction direction) {
        return counts.get(direction.number());
    }

    /** Number of socket policies of a direction. Any thread. */
    public int socketCount(Direction direction) {
        return counts.get(DIRECTIONS + direction.number());
    }

    /** Number of policies of all types and directions, those of sockets included. Control thread. */
    public int size() {
        return all.size();
    }

    /**
     * Whether all policies of a direction that let packets through are for every packet between their addresses,
     * whatever its protocol or mark. Any thread.
     */
    public boolean isByAddressAlone(Direction direction) {
        return counts.get(2 * DIRECTIONS + direction.number()) == 0;
    }

    /** Whether any policy, of a socket or not, names an interface. Any thread. */
    public boolean namesInterface() {
        return counts.get(NAMING_INTERFACE) != 0;
    }

    /** Length of the table by index, what a client is told as {@code spdhcnt}. Control thread. */
    public int buckets() {
        return byIndex.length();
    }

    /**
     * {@code XFRM_MSG_NEWPOLICY}: the new Policy, or null if there is one of the same name (EEXIST). Control thread.
     */
    public Policy add(PolicySpec spec, long nowSeconds) {
        return find(spec) == null ? put(spec, null, nowSeconds) : null;
    }

    /** {@code XFRM_MSG_UPDPOLICY}: the new Policy; one of the same name is killed. Control thread. */
    public Policy replace(PolicySpec spec, long nowSeconds) {
        return replace(spec, nowSeconds, old -> {});
    }

    /** The same; {@code replaced} is told of the one that was killed, if any. */
    public Policy replace(PolicySpec spec, long nowSeconds, Consumer<Policy> replaced) {
        SpdEntry old = find(spec);
        Policy policy = put(spec, old, nowSeconds);
        if (old != null) {
            replaced.accept(old.policy());
        }
        return policy;
    }

    private SpdEntry find(PolicyName name) {
        return classifier(name).find(name, probe.set(name));
    }

    /** @param spec what was looked for last @param old what was found, or null */
    private Policy put(PolicySpec spec, SpdEntry old, long nowSeconds) {
        int index = old == null
                ? newIndex(spec.direction().number(), spec.index())
                : old.policy().spec().index();
        boolean keepsPosition = old != null && old.policy().spec().priority() == spec.priority();
        Policy policy = new Policy(interner.intern(spec, index), nextAge++, nowSeconds);
        SpdEntry entry = probe;
        probe = new SpdEntry();
        entry.fields = interner.intern(entry.fields);
        entry.become(policy, keepsPosition ? old.positionOfUpdate(policy.age()) : policy.age());
        listener.comes(policy);
        classifier(spec).put(entry, old);
        all.add(entry);
        addToCount(spec.direction().number(), 1);
        countPartial(entry, 1);
        countNaming(spec, 1);
        if (old == null) {
            byIndex.add(entry, Hashing.fold(index));
        } else {
            byIndex.replace(old, entry, Hashing.fold(index));
            forget(old);
            tellOfGone(old);
            listener.goes(old.policy());
        }
        changes.add(entry);
        return policy;
    }

    /**
     * An update that kept its position may have had another policy of its list behind it that is older than the flow's
     * own: see the {@link Classifier}.
     */
    private void tellOfGone(SpdEntry entry) {
        if (entry.isUpdate()) {
            changes.add(entry);
        }
    }

    /**
     * The Policy a client names, by index or else by selector, or null. Mark and interface id count either way. Control
     * thread.
     */
    public Policy get(PolicyKey key) {
        SpdEntry entry = key.index() != 0 ? findByIndex(key) : findBySelector(key);
        return entry == null ? null : entry.policy();
    }

    private SpdEntry findByIndex(PolicyKey key) {
        if ((key.index() & DIRECTION_MASK) != key.direction().number()) {
            return null;
        }
        SpdEntry entry = atIndex(key.index());
        PolicySpec spec = entry == null ? null : entry.policy().spec();
        boolean named = spec != null
                && spec.type() == key.type()
                && spec.ifId() == key.ifId()
                && spec.mark().equals(key.mark());
        return named ? entry : null;
    }

    private SpdEntry findBySelector(PolicyKey key) {
        return AddressFamily.isIp(key.selector().family()) ? find(key) : null;
    }

    /** Control thread: what a socket had is about to leave, or to be found no more. */
    void settle() {
        beforeRemoval.run();
    }

    /** Control thread: it must be in the database. Marks it dead. */
    public void remove(Policy policy) {
        if (policy.spec().direction() == Direction.OUT && !isSocketPolicy(policy)) {
            beforeRemoval.run();
        }
        SpdEntry entry = entryOf(policy);
        classifier(policy.spec(), entry).remove(entry);
        unlink(entry);
        tellOfGone(entry);
        listener.goes(policy);
    }

    /**
     * All policies of a type but the sockets': flows find none of them any more at once. Returns how many. Control
     * thread.
     */
    public int removeAll(PolicySpec.Type type, Consumer<Policy> removed) {
        if (!isEmpty(Direction.OUT)) {
            beforeRemoval.run();
        }
        for (Direction direction : Direction.values()) {
            // Its successor is there first: nobody finds policies once somebody has found them gone.
            classifiers
                    .getAndSet(classifierIndex(type, direction, AddressFamily.INET), new Classifier())
                    .retire();
            classifiers
                    .getAndSet(classifierIndex(type, direction, AddressFamily.INET6), new Classifier())
                    .retire();
        }
        byIndex.clear();
        int before = all.size();
        all.forEach(entry -> {
            Policy policy = entry.value();
            if (policy.spec().type() == type && !isSocketPolicy(policy)) {
                forget((SpdEntry) entry);
                listener.goes(policy);
                removed.accept(policy);
            } else {
                byIndex.add((SpdEntry) entry, Hashing.fold(policy.spec().index()));
            }
        });
        return before - all.size();
    }

    /**
     * Gives a Policy other templates: a successor that has its position in every order. The old one is killed. Control
     * thread.
     */
    public Policy retarget(Policy policy, List<Template> templates) {
        SpdEntry old = entryOf(policy);
        PolicySpec spec = interner.intern(
                policy.spec().withTemplates(templates), policy.spec().index());
        SpdEntry entry = new SpdEntry().set(spec).become(policy.successor(spec), old.positionOfUpdate(policy.age()));
        entry.fields = old.fields;
        classifier(policy.spec(), old).put(entry, old);
        byIndex.replace(old, entry, Hashing.fold(policy.spec().index()));
        all.replace(old, entry);
        policy.setEntry(null);
        return entry.policy();
    }

    /**
     * All policies of a type (null: of both), socket policies among them, youngest first; stays valid while they come
     * and go. Control thread.
     */
    public Dump<Policy> walk(PolicySpec.Type type) {
        return all.walk(policy -> type == null || policy.spec().type() == type);
    }

    /** Whether a Policy is a socket's: its index, as clients see it, tells. */
    public static boolean isSocketPolicy(Policy policy) {
        return (policy.spec().index() & DIRECTION_MASK) >= DIRECTIONS;
    }

    /** A socket's Policy: walks and counts have it, lookups do not. */
    Policy linkSocketPolicy(PolicySpec spec, long nowSeconds) {
        int number = DIRECTIONS + spec.direction().number();
        Policy policy = new Policy(spec.withIndex(newIndex(number, 0)), nextAge++, nowSeconds);
        SpdEntry entry = SpdEntry.ofSocket(policy);
        all.add(entry);
        addToCount(number, 1);
        countNaming(spec, 1);
        byIndex.add(entry, Hashing.fold(policy.spec().index()));
        return policy;
    }

    void unlinkSocketPolicy(Policy policy) {
        unlink(entryOf(policy));
    }

    private void unlink(SpdEntry entry) {
        byIndex.remove(entry, Hashing.fold(entry.policy().spec().index()));
        forget(entry);
    }

    private void forget(SpdEntry entry) {
        PolicySpec spec = entry.policy().spec();
        all.remove(entry);
        addToCount(
                entry.list != 0
                        ? spec.direction().number()
                        : DIRECTIONS + spec.direction().number(),
                -1);
        countPartial(entry, -1);
        countNaming(spec, -1);
        entry.policy().setEntry(null);
    }

    private void countPartial(SpdEntry entry, int more) {
        PolicySpec spec = entry.policy().spec();
        if (entry.list != 0 && !entry.matchesAll() && spec.action() == PolicySpec.Action.ALLOW) {
            addToCount(2 * DIRECTIONS + spec.direction().number(), more);
        }
    }

    private void countNaming(PolicySpec spec, int more) {
        if (spec.selector().ifindex() != 0) {
            addToCount(NAMING_INTERFACE, more);
        }
    }

    /** One thread writes: that needs no instruction which waits for all processors. */
    private void addToCount(int number, int more) {
        counts.setRelease(number, counts.getPlain(number) + more);
    }

    private static SpdEntry entryOf(Policy policy) {
        if (policy.entry() instanceof SpdEntry entry) {
            return entry;
        }
        throw new IllegalStateException("not in the database: " + policy);
    }

    private SpdEntry atIndex(int index) {
        int hash = Hashing.fold(index);
        HashTable.Table<SpdEntry> table = byIndex.table();
        for (int i = table.find(hash); i >= 0; i = table.findNext(i, hash)) {
            SpdEntry entry = table.at(i);
            if (entry != null && entry.policy().spec().index() == index) {
                return entry;
            }
        }
        return null;
    }

    /**
     * As {@code xfrm_gen_index}: the one wanted if it is free, else the next of a counter that all directions share.
     * Never 0.
     */
    private int newIndex(int directionNumber, int wanted) {
        int index = wanted;
        while (index == 0 || atIndex(index) != null) {
            index = nextIndex | directionNumber;
            nextIndex += INDEX_STEP;
            if (index == 0) {
                index = INDEX_STEP;
            }
        }
        return index;
    }

    private Classifier classifier(PolicyName name) {
        return classifier(name.type(), name.direction(), name.selector().family());
    }

    /** The same, without a look at the selector, which is somewhere else in memory. */
    private Classifier classifier(PolicySpec spec, SpdEntry entry) {
        return classifier(spec.type(), spec.direction(), entry.family());
    }

    private Classifier classifier(PolicySpec.Type type, Direction direction, int family) {
        return classifiers.get(classifierIndex(type, direction, family));
    }

    private static int classifierIndex(PolicySpec.Type type, Direction direction, int family) {
        if (!AddressFamily.isIp(family)) {
            throw new IllegalArgumentException("policies are of family INET or INET6, not " + family);
        }
        int table = type.ordinal() * DIRECTIONS + direction.number();
        return FAMILIES * table + (family == AddressFamily.INET ? 0 : 1);
    }

    /** What becomes of a flow that no Policy matches. Any thread. */
    public PolicySpec.Action defaultAction(Direction direction) {
        return defaults.get(direction.number());
    }

    /** Control thread. */
    public void setDefaultAction(Direction direction, PolicySpec.Action action) {
        listener.defaultChanges(direction, action);
        defaults.set(direction.number(), action);
        changes.concernAll();
    }
}
