package org.xfrmbridge.fuzz;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;

import java.util.ArrayList;
import java.util.List;
import org.xfrmbridge.db.Dump;
import org.xfrmbridge.km.Origin;
import org.xfrmbridge.km.XfrmEngine;
import org.xfrmbridge.km.XfrmException;
import org.xfrmbridge.km.XfrmService.PolicyCounts;
import org.xfrmbridge.time.ManualClock;
import org.xfrmbridge.xfrm.Policy;
import org.xfrmbridge.xfrm.PolicySpec;
import org.xfrmbridge.xfrm.State;
import org.xfrmbridge.xfrm.Usage;

/**
 * All that a client could have changed, as it is now. States and Policies are compared by identity, and so are their
 * specs: nothing was replaced, not even by its equal. Control thread only.
 */
public final class Databases {
    /**
     * @param entry State or Policy
     * @param spec its spec
     * @param values what else can change of it
     */
    private record Entry(Object entry, Object spec, List<Object> values) {
        static Entry of(State state) {
            return new Entry(
                    state,
                    state.spec(),
                    List.of(state.phase(), state.isDying(), state.replaySnapshot(), counters(state.usage())));
        }

        static Entry of(Policy policy) {
            return new Entry(policy, policy.spec(), List.of(policy.isDead(), counters(policy.usage())));
        }

        private static List<Long> counters(Usage usage) {
            return List.of(
                    usage.bytes(), usage.packets(), usage.addSeconds(), usage.useSeconds(), usage.lastUsedSeconds());
        }
    }

    /** Longer than a larval State lives. */
    private static final int LARVAL_SECONDS = 3600;

    private final List<Entry> entries = new ArrayList<>();
    private final List<Object> settings;

    private Databases(XfrmEngine engine) {
        Dump<State> states = engine.states(any -> true);
        for (State state = states.next(); state != null; state = states.next()) {
            entries.add(Entry.of(state));
        }
        Dump<Policy> policies = engine.policies(null);
        for (Policy policy = policies.next(); policy != null; policy = policies.next()) {
            entries.add(Entry.of(policy));
        }
        PolicyCounts counts = engine.policyCounts();
        settings = List.of(
                engine.defaults(),
                counts.ipv4(),
                counts.ipv6(),
                engine.acquireExpireSeconds(),
                engine.nextDeadlineNs());
    }

    public static Databases of(XfrmEngine engine) {
        return new Databases(engine);
    }

    /** Fails if anything is not as it was. */
    public void assertUnchanged(XfrmEngine engine) {
        Databases now = new Databases(engine);
        assertEquals(settings, now.settings, "settings or the next timer changed");
        assertEquals(entries.size(), now.entries.size(), "entries came or went");
        for (int i = 0; i < entries.size(); i++) {
            assertSame(entries.get(i).entry, now.entries.get(i).entry);
            assertSame(entries.get(i).spec, now.entries.get(i).spec);
            assertEquals(entries.get(i).values, now.entries.get(i).values);
        }
    }

    /** Flushes everything: fails if something stays behind, an entry or a timer. */
    public static void assertNothingLeft(XfrmEngine engine, ManualClock clock) {
        quietly(() -> engine.flushStates(0, Origin.KERNEL));
        for (PolicySpec.Type type : PolicySpec.Type.values()) {
            quietly(() -> engine.flushPolicies(type, Origin.KERNEL));
        }
        engine.drainEvents();
        clock.advanceSeconds(LARVAL_SECONDS);
        engine.runTimers();
        assertEquals(0, engine.stateCounts().states(), "States stay behind");
        for (int left : engine.policyCounts().global()) {
            assertEquals(0, left, "Policies stay behind");
        }
        assertEquals(Long.MAX_VALUE, engine.nextDeadlineNs(), "a timer stays behind");
    }

    private interface Verb {
        void run() throws XfrmException;
    }

    private static void quietly(Verb flush) {
        try {
            flush.run();
        } catch (XfrmException nothingToFlush) {
            assertEquals("ESRCH", nothingToFlush.errno().name());
        }
    }
}
