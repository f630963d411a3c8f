package org.xfrmbridge.db;

import java.util.TreeMap;
import org.xfrmbridge.xfrm.Flow;
import org.xfrmbridge.xfrm.Selector;
import org.xfrmbridge.xfrm.State;
import org.xfrmbridge.xfrm.State.Phase;
import org.xfrmbridge.xfrm.StateFlags;
import org.xfrmbridge.xfrm.StateSpec;
import org.xfrmbridge.xfrm.Template;

/**
 * The States that a template cannot tell apart but by mark, selector and Spi: same addresses, family, protocol, mode,
 * reqid and interface id. Mature ones stand in a chain with the latest add time first, so that the first valid one that
 * matches and is not dying is the best; larval ones stand apart, or a million of them would hide it.
 *
 * <p>The control thread writes, any thread reads.
 */
final class StateGroup {
    final long daddrHigh;
    final long daddrLow;
    final long saddrHigh;
    final long saddrLow;
    /** Family, protocol and mode in one. */
    final int kind;

    final int reqid;
    final int ifId;

    /** The version of a group that has left its table. */
    static final int GONE = -1;

    private static final int MOST_STEPS = 16;

    private volatile SadEntry mature;
    private SadEntry oldestMature;
    /**
     * The youngest one of each add time; null while those that come are near the young end of the chain, as in step
     * with a clock.
     */
    private TreeMap<Long, SadEntry> byAddTime;

    /** How many are for one CPU. Without any, the first that serves and is not dying is the best. */
    private volatile int ofOneCpu;

    private volatile SadEntry larval;
    private volatile SadEntry larvalWithoutSpi;
    private volatile int version;

    /** @param spec that of any member */
    StateGroup(StateSpec spec) {
        daddrHigh = SadEntry.high(spec.id().daddr().high(), spec.family());
        daddrLow = SadEntry.low(spec.id().daddr().low(), spec.family());
        saddrHigh = SadEntry.high(spec.saddr().high(), spec.family());
        saddrLow = SadEntry.low(spec.saddr().low(), spec.family());
        kind = kind(spec.family(), spec.id().protocol(), spec.mode().number());
        reqid = spec.reqid();
        ifId = spec.ifId();
    }

    int hash() {
        return hash(daddrHigh, daddrLow, saddrHigh, saddrLow, identity(kind, reqid, ifId));
    }

    /** What templates ask for: all but reqid and interface id. */
    static int kind(Template template) {
        return kind(template.family(), template.id().protocol(), template.mode().number());
    }

    static int kind(int family, int protocol, int mode) {
        return (family << 8 | protocol) << 8 | mode;
    }

    static long identity(int kind, int reqid, int ifId) {
        return Hashing.mix((long) reqid << 32 | Integer.toUnsignedLong(ifId), kind);
    }

    static int hash(long daddrHigh, long daddrLow, long saddrHigh, long saddrLow, long identity) {
        long addresses = Hashing.mix(Hashing.mix(identity, daddrHigh), saddrHigh);
        return Hashing.fold(Hashing.mix(Hashing.mix(addresses, daddrLow), saddrLow));
    }

    /**
     * A number that changes when a State comes, or one is given another spec: who reads it finds that State, or not if
     * it is of another group now.
     */
    int version() {
        return version;
    }

    @SuppressWarnings("NonAtomicOperationOnVolatileField")
    void changed() {
        version = version + 1 & Integer.MAX_VALUE;
    }

    /** It has left its table, and another may take its place there. */
    void gone() {
        version = GONE;
    }

    boolean isEmpty() {
        return mature == null && larval == null && larvalWithoutSpi == null;
    }

    @SuppressWarnings("NonAtomicOperationOnVolatileField")
    void add(SadEntry entry) {
        ofOneCpu = ofOneCpu + (entry.isOfOneCpu() ? 1 : 0);
        if (entry.state().phase() != Phase.ACQUIRING) {
            addMature(entry);
        } else if (entry.spi != 0) {
            insert(entry, null, larval);
            larval = entry;
        } else {
            insert(entry, null, larvalWithoutSpi);
            larvalWithoutSpi = entry;
        }
    }

    /** Of equal add times the one added last comes first. */
    private void addMature(SadEntry entry) {
        SadEntry after = youngestNotAfter(entry.addSeconds);
        SadEntry before = after == null ? oldestMature : after.previous;
        insert(entry, before, after);
        if (before == null) {
            mature = entry;
        }
        if (after == null) {
            oldestMature = entry;
        }
        if (byAddTime != null) {
            byAddTime.put(entry.addSeconds, entry);
        }
    }

    private SadEntry youngestNotAfter(long addSeconds) {
        if (oldestMature == null || oldestMature.addSeconds > addSeconds) {
            return null;
        }
        SadEntry entry = mature;
        for (int i = 0; entry.addSeconds > addSeconds && byAddTime == null; i++) {
            entry = entry.next;
            if (i == MOST_STEPS) {
                byAddTime = new TreeMap<>();
                for (SadEntry each = oldestMature; each != null; each = each.previous) {
                    byAddTime.put(each.addSeconds, each);
                }
            }
        }
        return byAddTime == null ? entry : byAddTime.floorEntry(addSeconds).getValue();
    }

    private void forgetAddTime(SadEntry entry) {
        if (byAddTime == null || byAddTime.get(entry.addSeconds) != entry) {
            return;
        }
        SadEntry next = entry.next;
        if (next != null && next.addSeconds == entry.addSeconds) {
            byAddTime.put(next.addSeconds, next);
        } else {
            byAddTime.remove(entry.addSeconds);
        }
    }

    private static void insert(SadEntry entry, SadEntry before, SadEntry after) {
        entry.next = after;
        entry.previous = before;
        if (after != null) {
            after.previous = entry;
        }
        if (before != null) {
            before.next = entry;
        }
    }

    /** Its own link stays, for readers that stand on it. */
    @SuppressWarnings("NonAtomicOperationOnVolatileField")
    void remove(SadEntry entry) {
        forgetAddTime(entry);
        SadEntry before = entry.previous;
        SadEntry after = entry.next;
        if (after != null) {
            after.previous = before;
        }
        if (entry == oldestMature) {
            oldestMature = before;
        }
        if (before != null) {
            before.next = after;
        } else if (entry == mature) {
            mature = after;
        } else if (entry == larval) {
            larval = after;
        } else {
            larvalWithoutSpi = after;
        }
        ofOneCpu = ofOneCpu - (entry.isOfOneCpu() ? 1 : 0);
    }

    /**
     * The valid State to use, as {@code xfrm_state_look_at} chooses, to which the latest added is shown first: that for
     * the flow's CPU before that for all, unless only the former is dying and the younger; one that is not dying before
     * one that is; then the latest added.
     */
    State best(int spi, int mark, Flow flow) {
        boolean mayBeOfOneCpu = ofOneCpu > 0;
        SadEntry best = null;
        for (SadEntry entry = mature; entry != null; entry = entry.next) {
            State state = entry.state();
            boolean isOfOtherCpu = entry.isOfOneCpu() && entry.cpu != flow.cpu;
            if (!serves(entry, spi, mark) || !state.isValid() || isOfOtherCpu || !selects(state, flow)) {
                continue;
            }
            boolean isBetter = best == null
                    || best.state().isDying() && !state.isDying()
                    || entry.isOfOneCpu() && !best.isOfOneCpu();
            best = isBetter ? entry : best;
            if (!best.state().isDying() && (!mayBeOfOneCpu || best.isOfOneCpu())) {
                break;
            }
        }
        return best == null ? null : best.state();
    }

    /**
     * A State that waits for a key manager, or null.
     *
     * @param cpu that it is for, {@link Flow#NO_CPU} for all
     */
    State acquiring(int spi, int mark, int cpu) {
        State found = spi == 0 ? acquiring(larvalWithoutSpi, spi, mark, cpu) : null;
        return found != null ? found : acquiring(larval, spi, mark, cpu);
    }

    private static State acquiring(SadEntry chain, int spi, int mark, int cpu) {
        for (SadEntry entry = chain; entry != null; entry = entry.next) {
            State state = entry.state();
            if (serves(entry, spi, mark)
                    && state.phase() == Phase.ACQUIRING
                    && state.spec().pcpu() == cpu) {
                return state;
            }
        }
        return null;
    }

    /** A State that failed or expired and is not gone yet: until then nobody is asked again. */
    State failed(int spi, int mark, Flow flow) {
        State found = failed(mature, spi, mark, flow);
        if (found == null) {
            found = failed(larvalWithoutSpi, spi, mark, flow);
        }
        return found != null ? found : failed(larval, spi, mark, flow);
    }

    private static State failed(SadEntry chain, int spi, int mark, Flow flow) {
        for (SadEntry entry = chain; entry != null; entry = entry.next) {
            State state = entry.state();
            boolean failed = state.phase() == Phase.ERROR || state.phase() == Phase.EXPIRED;
            if (failed && serves(entry, spi, mark) && selects(state, flow)) {
                return state;
            }
        }
        return null;
    }

    /** A larval State without a Spi, the kernel's {@code __find_acq_core}. */
    State unnamed(int mark, int pcpu) {
        for (SadEntry entry = larvalWithoutSpi; entry != null; entry = entry.next) {
            State state = entry.state();
            if (entry.fitsMark(mark)
                    && state.phase() == Phase.ACQUIRING
                    && state.spec().pcpu() == pcpu) {
                return state;
            }
        }
        return null;
    }

    private static boolean serves(SadEntry entry, int spi, int mark) {
        return entry.fitsMark(mark)
                && (spi == 0 || spi == entry.spi)
                && !entry.state().spec().hasFlag(StateFlags.WILDRECV);
    }

    private static boolean selects(State state, Flow flow) {
        Selector selector = state.spec().selector();
        return selector.family() == 0 || selector.matches(flow, flow.family);
    }
}
