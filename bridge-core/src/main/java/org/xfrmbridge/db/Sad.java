package org.xfrmbridge.db;

import java.util.Objects;
import java.util.concurrent.atomic.AtomicIntegerArray;
import java.util.function.Predicate;
import org.xfrmbridge.xfrm.Address;
import org.xfrmbridge.xfrm.Flow;
import org.xfrmbridge.xfrm.Mark;
import org.xfrmbridge.xfrm.Policy;
import org.xfrmbridge.xfrm.State;
import org.xfrmbridge.xfrm.State.Phase;
import org.xfrmbridge.xfrm.StateId;
import org.xfrmbridge.xfrm.StateSpec;
import org.xfrmbridge.xfrm.Template;
import org.xfrmbridge.xfrm.Usage;

/**
 * The security association database, the state tables of net/xfrm/xfrm_state.c. The control thread writes; any thread
 * looks up and never waits, also while tables grow. Families are those of the States ({@code props.family}); marks are
 * a packet's or a policy's, and fit when {@code (mark & state.mark.mask) == state.mark.value}.
 *
 * <p>Tables: by (Spi, daddr, protocol); by (saddr, daddr, protocol) for protocols without Spi; by addresses and
 * template, as {@link StateGroup}s; by ACQUIRE number. Of several States that fit, the youngest is found, as in a
 * kernel's chains.
 */
public final class Sad {
    private static final int STRIPES = 1 << 14;

    private final SpiIndex bySpi = new SpiIndex();
    private final SourceIndex bySource = new SourceIndex();
    private final SequenceIndex bySequence = new SequenceIndex();
    private final HashTable<StateGroup> groups = new HashTable<>();
    private final SpiCounts spiUses = new SpiCounts();
    private final WalkList<State> all = new WalkList<>();
    /** By addresses; those of any source apart, for bundles ask for these, and seldom get them. */
    private final AtomicIntegerArray newGroups = new AtomicIntegerArray(2 * STRIPES);

    private int freedSpis;

    /** Inbound: the State a packet names. Any thread, never blocks. Null if none. */
    public State lookup(long daddrHigh, long daddrLow, int spi, int protocol, int family, int mark) {
        int kind = SadEntry.kind(family, protocol);
        return bySpi.lookup(SadEntry.high(daddrHigh, family), SadEntry.low(daddrLow, family), spi, kind, mark);
    }

    public State lookup(StateId id, int family, int mark) {
        return lookup(id.daddr().high(), id.daddr().low(), id.spi(), id.protocol(), family, mark);
    }

    /** By (saddr, daddr, protocol), for protocols without Spi (mobile IPv6). Any thread. Null if none. */
    public State lookupByAddress(Address daddr, Address saddr, int protocol, int family, int mark) {
        SadEntry youngest = youngest(daddr, saddr, protocol, family);
        return youngest == null ? null : youngest.youngestAlike(mark);
    }

    /**
     * The State that a client names: its mark counts, value and mask, where a packet's need only fit. Control thread.
     * Null if none.
     */
    public State named(StateId id, int family, Mark mark) {
        long daddrHigh = SadEntry.high(id.daddr().high(), family);
        long daddrLow = SadEntry.low(id.daddr().low(), family);
        SadEntry youngest = bySpi.youngest(daddrHigh, daddrLow, id.spi(), SadEntry.kind(family, id.protocol()));
        return youngest == null ? null : youngest.youngestMarked(mark);
    }

    /** The same for protocols without Spi. Control thread. Null if none. */
    public State named(Address daddr, Address saddr, int protocol, int family, Mark mark) {
        SadEntry youngest = youngest(daddr, saddr, protocol, family);
        return youngest == null ? null : youngest.youngestMarked(mark);
    }

    private SadEntry youngest(Address daddr, Address saddr, int protocol, int family) {
        long daddrHigh = SadEntry.high(daddr.high(), family);
        long daddrLow = SadEntry.low(daddr.low(), family);
        long saddrHigh = SadEntry.high(saddr.high(), family);
        long saddrLow = SadEntry.low(saddr.low(), family);
        return bySource.youngest(saddrHigh, saddrLow, daddrHigh, daddrLow, SadEntry.kind(family, protocol));
    }

    /**
     * The State that a new one with this spec collides with, {@code __xfrm_state_locate}: by Spi, or by addresses if
     * its protocol has none.
     */
    public State locate(StateSpec spec) {
        StateId id = spec.id();
        int mark = spec.mark().maskedValue();
        return SadEntry.hasSpi(id.protocol())
                ? lookup(id, spec.family(), mark)
                : lookupByAddress(id.daddr(), spec.saddr(), id.protocol(), spec.family(), mark);
    }

    /** The larval State of an ACQUIRE's number, {@code xfrm_find_acq_byseq}; pcpu -1 for none. */
    public State larvalBySequence(int sequence, int mark, int pcpu) {
        for (SadEntry entry = bySequence.chain(sequence); entry != null; entry = entry.alikeInSequence) {
            State state = entry.state();
            if (entry.fitsMark(mark)
                    && state.phase() == Phase.ACQUIRING
                    && state.spec().pcpu() == pcpu) {
                return state;
            }
        }
        return null;
    }

    /**
     * A larval State without a Spi that this spec would complete, {@code __find_acq_core}: same addresses, family,
     * mode, reqid, interface id, protocol and CPU.
     */
    public State larval(StateSpec spec) {
        int family = spec.family();
        int kind = StateGroup.kind(family, spec.id().protocol(), spec.mode().number());
        StateGroup group = group(spec.id().daddr(), spec.saddr(), kind, spec.reqid(), spec.ifId());
        return group == null ? null : group.unnamed(spec.mark().maskedValue(), spec.pcpu());
    }

    /**
     * Outbound: the best State for a template of a Policy, as {@code xfrm_state_find} chooses: valid and not dying,
     * valid and dying, each the latest added, but those for the flow's CPU first; then those with a wildcard source.
     * Any thread.
     *
     * <p>Else what stands in the way of asking a key manager: a larval State (asked already), an expired or failed one
     * (ask later); the phase tells. Null if there is nothing. A template with a Spi must not be asked for if
     * {@link #lookup} knows the Spi (EEXIST).
     *
     * @param flow its family is that of the States' selectors
     * @param saddr the template's, or what routing chose for a wildcard; the flow's in transport mode. Likewise daddr.
     */
    public State find(Policy policy, Template template, Flow flow, Address daddr, Address saddr) {
        int mark = policy.spec().mark().maskedValue();
        int ifId = policy.spec().ifId();
        int kind = StateGroup.kind(template);
        int spi = template.id().spi();
        StateGroup exact = group(daddr, saddr, kind, template.reqid(), ifId);
        State found = exact == null ? null : exact.best(spi, mark, flow);
        if (found == null && exact != null) {
            found = exact.acquiring(spi, mark, Flow.NO_CPU);
        }
        if (found != null) {
            return found;
        }
        StateGroup wildcard =
                saddr.isAny(template.family()) ? null : group(daddr, Address.ANY, kind, template.reqid(), ifId);
        found = wildcard == null ? null : wildcard.best(spi, mark, flow);
        if (found == null && wildcard != null) {
            found = wildcard.acquiring(spi, mark, Flow.NO_CPU);
        }
        if (found == null && exact != null) {
            found = exact.failed(spi, mark, flow);
        }
        return found == null && wildcard != null ? wildcard.failed(spi, mark, flow) : found;
    }

    /**
     * Outbound: the larval State by which a key manager is asked for one of that CPU, beside the one for all that
     * {@link #find} has found. Any thread. Null if there is none.
     */
    public State acquiringForCpu(Policy policy, Template template, int cpu, Address daddr, Address saddr) {
        StateGroup group = group(
                daddr,
                saddr,
                StateGroup.kind(template),
                template.reqid(),
                policy.spec().ifId());
        return group == null
                ? null
                : group.acquiring(template.id().spi(), policy.spec().mark().maskedValue(), cpu);
    }

    /** Null if there is none. Any thread. */
    StateGroup group(Address daddr, Address saddr, int kind, int reqid, int ifId) {
        int family = kind >>> 16;
        long daddrHigh = SadEntry.high(daddr.high(), family);
        long daddrLow = SadEntry.low(daddr.low(), family);
        long saddrHigh = SadEntry.high(saddr.high(), family);
        long saddrLow = SadEntry.low(saddr.low(), family);
        int hash = StateGroup.hash(daddrHigh, daddrLow, saddrHigh, saddrLow, StateGroup.identity(kind, reqid, ifId));
        HashTable.Table<StateGroup> table = groups.table();
        for (int i = table.find(hash); i >= 0; i = table.findNext(i, hash)) {
            StateGroup group = table.at(i);
            if (group != null
                    && group.daddrHigh == daddrHigh
                    && group.daddrLow == daddrLow
                    && group.saddrHigh == saddrHigh
                    && group.saddrLow == saddrLow
                    && group.kind == kind
                    && group.reqid == reqid
                    && group.ifId == ifId) {
                return group;
            }
        }
        return null;
    }

    /** Tells whether what {@link #find} says next may have a better answer later. Any thread. */
    public StateFreshness freshness(Policy policy, Template template, Address daddr, Address saddr) {
        return new StateFreshness(this, template, policy.spec().ifId(), daddr, saddr);
    }

    /** How many groups have come between the addresses of each {@link #stripe}. Any thread reads. */
    AtomicIntegerArray newGroups() {
        return newGroups;
    }

    static int stripe(Address daddr, Address saddr, int family) {
        return stripe(
                SadEntry.high(daddr.high(), family), SadEntry.low(daddr.low(), family),
                SadEntry.high(saddr.high(), family), SadEntry.low(saddr.low(), family));
    }

    private static int stripe(long daddrHigh, long daddrLow, long saddrHigh, long saddrLow) {
        int stripe = StateGroup.hash(daddrHigh, daddrLow, saddrHigh, saddrLow, 0) & STRIPES - 1;
        return (saddrHigh | saddrLow) == 0 ? STRIPES + stripe : stripe;
    }

    /** Whether any State of the protocol has the Spi, whatever its destination. Control thread. */
    boolean hasSpi(int spi, int protocol) {
        return spiUses.has(spi, protocol);
    }

    /** How often a State with a Spi has gone. Control thread. */
    int freedSpis() {
        return freedSpis;
    }

    /**
     * All States that pass the filter, the youngest first; the walk stays valid while States come and go. Control
     * thread.
     */
    public Dump<State> walk(Predicate<State> filter) {
        return all.walk(filter);
    }

    /** Control thread. */
    public int size() {
        return all.size();
    }

    /** Length of the tables by Spi, what a client is told as {@code sadhcnt}. Control thread. */
    public int buckets() {
        return bySpi.length();
    }

    /** Control thread. The phase and the add time must be set. */
    public void insert(State state) {
        SadEntry entry = new SadEntry(state);
        all.add(entry);
        index(entry);
    }

    /** Control thread: unhashes; marks it dead. Once only. */
    public void remove(State state) {
        SadEntry entry = entryOf(state);
        state.enter(Phase.DEAD);
        unindex(entry);
        all.remove(entry);
        state.setEntry(null);
    }

    /**
     * Control thread: gives a State another spec. It is found by its new keys as soon as it has them, keeps its order
     * in walks, and bundles of its addresses are rebuilt.
     */
    public void respec(State state, StateSpec spec) {
        SadEntry entry = entryOf(state);
        boolean moved = entry.isMovedBy(spec);
        state.respec(spec);
        if (moved) {
            reindex(state);
        } else {
            entry.group.changed();
        }
    }

    /** Control thread: gives a State other counters; its add time decides which State is preferred. */
    public void resetUsage(State state, Usage usage) {
        state.resetUsage(usage);
        reindex(state);
    }

    private static SadEntry entryOf(State state) {
        return Objects.requireNonNull(SadEntry.of(state), "not in the database");
    }

    /** The new entry is there before the old one goes, so that no lookup misses both. */
    private void reindex(State state) {
        SadEntry old = entryOf(state);
        SadEntry entry = new SadEntry(state);
        all.replace(old, entry);
        index(entry);
        unindex(old);
    }

    /** Its group comes last: what leaves through a State may come back at once, and must be known by then. */
    private void index(SadEntry entry) {
        StateGroup group = groupOf(entry.state().spec());
        entry.group = group;
        if (!SadEntry.hasSpi(entry.protocol())) {
            bySource.add(entry);
        } else if (entry.spi != 0) {
            bySpi.add(entry);
            spiUses.add(entry.spi, entry.protocol());
        }
        if (entry.sequence != 0) {
            bySequence.add(entry);
        }
        entry.state().setEntry(entry);
        boolean isFirst = group.isEmpty();
        group.add(entry);
        if (isFirst) {
            groups.add(group, group.hash());
            newGroups.incrementAndGet(stripe(group.daddrHigh, group.daddrLow, group.saddrHigh, group.saddrLow));
        } else {
            group.changed();
        }
    }

    /** In the opposite order. */
    private void unindex(SadEntry entry) {
        StateGroup group = entry.group;
        group.remove(entry);
        if (group.isEmpty()) {
            groups.remove(group, group.hash());
            group.gone();
        } else if (entry.state().entry() != entry) {
            // It lives on in another entry: who found it here is not told by its death.
            group.changed();
        }
        if (entry.sequence != 0) {
            bySequence.remove(entry);
        }
        if (!SadEntry.hasSpi(entry.protocol())) {
            bySource.remove(entry);
        } else if (entry.spi != 0) {
            bySpi.remove(entry);
            spiUses.remove(entry.spi, entry.protocol());
            freedSpis++;
        }
    }

    /** The group of States like this one; a new one, which is in no table yet, if there is none. */
    private StateGroup groupOf(StateSpec spec) {
        int kind =
                StateGroup.kind(spec.family(), spec.id().protocol(), spec.mode().number());
        StateGroup group = group(spec.id().daddr(), spec.saddr(), kind, spec.reqid(), spec.ifId());
        return group != null ? group : new StateGroup(spec);
    }
}
