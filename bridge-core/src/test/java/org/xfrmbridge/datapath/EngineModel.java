package org.xfrmbridge.datapath;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Random;
import java.util.Set;
import org.xfrmbridge.db.Databases;
import org.xfrmbridge.db.Dump;
import org.xfrmbridge.db.Sad;
import org.xfrmbridge.db.SocketPolicies;
import org.xfrmbridge.db.Spd;
import org.xfrmbridge.io.StaticNetwork;
import org.xfrmbridge.km.AcquiringKeyManager;
import org.xfrmbridge.km.Errno;
import org.xfrmbridge.km.Origin;
import org.xfrmbridge.km.XfrmEngine;
import org.xfrmbridge.km.XfrmException;
import org.xfrmbridge.km.XfrmService.SpiRequest;
import org.xfrmbridge.model.Model;
import org.xfrmbridge.time.ManualClock;
import org.xfrmbridge.xfrm.Address;
import org.xfrmbridge.xfrm.AddressFamily;
import org.xfrmbridge.xfrm.Direction;
import org.xfrmbridge.xfrm.Lifetime;
import org.xfrmbridge.xfrm.Mark;
import org.xfrmbridge.xfrm.Policy;
import org.xfrmbridge.xfrm.PolicyKey;
import org.xfrmbridge.xfrm.PolicySpec;
import org.xfrmbridge.xfrm.State;
import org.xfrmbridge.xfrm.State.Phase;
import org.xfrmbridge.xfrm.StateId;
import org.xfrmbridge.xfrm.StateKey;
import org.xfrmbridge.xfrm.StateSpec;
import org.xfrmbridge.xfrm.StateSpecBuilder;

/**
 * An engine with its databases beside a {@link NaiveXfrm}, and what clients can do to both: policies and States come,
 * change and go, and whatever is refused is refused for the reason that the lists show.
 */
abstract class EngineModel extends Model {
    private static final int ENTRIES = 40;

    final ManualClock clock = new ManualClock();
    final Databases databases = new Databases();
    final Sad sad = databases.sad();
    final Spd spd = databases.spd();
    final SocketPolicies sockets = databases.sockets();
    final StaticNetwork network = new StaticNetwork();
    final XfrmEngine engine = XfrmEngine.builder(databases, clock)
            .random(new Random(1))
            .cpus(RandomEntries.CPUS)
            .build();
    final NaiveXfrm naive = new NaiveXfrm();
    final RandomEntries entries = new RandomEntries(random);

    EngineModel() {
        engine.register(new AcquiringKeyManager());
        network.setSource(AddressFamily.INET, "192.0.2.1");
        network.setSource(AddressFamily.INET6, "2001:db8:ffff::1");
        for (String address : List.of("10.1.0.1", "10.1.128.1", "fd01::1", "fd01:0:0:8000::1")) {
            network.addLocal(address);
            naive.local.add(Address.parse(address));
        }
        naive.sources[AddressFamily.INET] = RandomEntries.LOCAL4;
        naive.sources[AddressFamily.INET6] = RandomEntries.LOCAL6;
    }

    // Policies

    final void addPolicy() {
        if (naive.policies.size() > ENTRIES) {
            deletePolicy();
        }
        PolicySpec spec = entries.policy(
                Direction.of(random.nextInt(3)), PolicySpec.Type.values()[random.nextInt(4) == 0 ? 1 : 0]);
        if (naive.policies.size() > 0 && random.nextInt(3) == 0) {
            PolicySpec known =
                    naive.policies.get(random.nextInt(naive.policies.size())).spec();
            spec = PolicySpec.builder()
                    .selector(known.selector())
                    .lifetime(spec.lifetime())
                    .priority(spec.priority())
                    .direction(known.direction())
                    .action(spec.action())
                    .templates(random.nextBoolean() ? known.templates() : List.of())
                    .mark(known.mark())
                    .ifId(known.ifId())
                    .type(known.type())
                    .build();
        }
        add(spec.withSanitizedMark(), random.nextBoolean());
    }

    private void add(PolicySpec spec, boolean exclusive) {
        say(() -> (exclusive ? "add " : "update ") + RandomEntries.text(spec));
        Policy old = naive.policies.named(spec);
        Errno refusal = refusalOf(() -> naive.policies.put(engine.addPolicy(spec, exclusive, Origin.KERNEL), old));
        assertEquals(exclusive && old != null ? Errno.EEXIST : null, refusal);
    }

    final void deletePolicy() {
        if (naive.policies.size() > 0) {
            Policy policy = naive.policies.get(random.nextInt(naive.policies.size()));
            PolicySpec spec = policy.spec();
            boolean byIndex = random.nextBoolean();
            say(() -> "delete " + policy + (byIndex ? " by index" : " by selector"));
            PolicyKey key = new PolicyKey(
                    spec.type(),
                    spec.direction(),
                    byIndex ? spec.index() : 0,
                    spec.selector(),
                    spec.mark(),
                    spec.ifId(),
                    null);
            assertNull(refusalOf(() -> assertSame(policy, engine.deletePolicy(key, Origin.KERNEL))));
            naive.policies.remove(policy);
        }
    }

    final void flush() {
        if (random.nextInt(20) != 0) {
            return;
        }
        if (random.nextBoolean()) {
            PolicySpec.Type type = PolicySpec.Type.values()[random.nextInt(2)];
            say(() -> "flush policies " + type);
            List<Policy> gone = naive.policies.policies().stream()
                    .filter(policy -> policy.spec().type() == type)
                    .toList();
            assertEquals(
                    gone.isEmpty() ? Errno.ESRCH : null, refusalOf(() -> engine.flushPolicies(type, Origin.KERNEL)));
            gone.forEach(naive.policies::remove);
        } else {
            say(() -> "flush states");
            boolean none = naive.states.states.isEmpty();
            assertEquals(none ? Errno.ESRCH : null, refusalOf(() -> engine.flushStates(0, Origin.KERNEL)));
            naive.states.states.clear();
        }
    }

    // States

    private State locate(StateSpec spec) {
        int mark = spec.mark().value() & spec.mark().mask();
        for (State state : naive.states.states.reversed()) {
            StateSpec other = state.spec();
            if (other.family() == spec.family()
                    && other.id().equals(spec.id())
                    && other.mark().fits(mark)) {
                return state;
            }
        }
        return null;
    }

    /** The one that a client names: with that very mark. */
    private State named(StateSpec spec) {
        for (State state : naive.states.states.reversed()) {
            StateSpec other = state.spec();
            if (other.family() == spec.family()
                    && other.id().equals(spec.id())
                    && other.mark().sanitized().equals(spec.mark().sanitized())) {
                return state;
            }
        }
        return null;
    }

    /** Or a larval one whose mark was not known yet. */
    private State updatedBy(StateSpec spec) {
        State named = named(spec);
        State fitting = named == null ? locate(spec) : named;
        return named != null || fitting == null || fitting.phase() == Phase.ACQUIRING ? fitting : null;
    }

    final void addState() {
        if (naive.states.states.size() > ENTRIES) {
            deleteState();
        }
        add(entries.state().build());
    }

    /** What a key manager does that was asked. */
    final void answerLarval() {
        List<State> larvals = naive.states.states.stream()
                .filter(state -> state.phase() == Phase.ACQUIRING)
                .toList();
        if (!larvals.isEmpty()) {
            StateSpec larval = larvals.get(random.nextInt(larvals.size())).spec();
            StateSpecBuilder spec = larval.toBuilder();
            int spi = larval.id().spi() != 0 ? larval.id().spi() : 1 + random.nextInt(6);
            spec.id(new StateId(larval.id().daddr(), spi, larval.id().protocol()))
                    .lifetime(Lifetime.UNLIMITED)
                    .direction(larval.hasPcpu() ? StateSpec.DIRECTION_OUT : 0)
                    .mark(larval.mark().sanitized());
            if (random.nextInt(3) == 0) {
                engine.failAcquire(larval.seq());
            } else if (random.nextBoolean() && larval.id().spi() != 0) {
                update(RandomEntries.complete(spec).build());
            } else {
                add(RandomEntries.complete(spec).build());
            }
        }
    }

    final void add(StateSpec spec) {
        say(() -> "add state " + RandomEntries.text(spec));
        List<State> before = List.copyOf(naive.states.states);
        State old = locate(spec);
        Errno refusal = refusalOf(() -> naive.states.states.add(engine.addState(spec, Origin.KERNEL)));
        assertEquals(old != null ? Errno.EEXIST : null, refusal);
        // At most the one larval State goes that waited for it.
        List<State> gone =
                before.stream().filter(state -> state.phase() == Phase.DEAD).toList();
        assertTrue(gone.size() <= (refusal == null ? 1 : 0));
        naive.states.states.removeAll(gone);
    }

    final void deleteState() {
        if (!naive.states.states.isEmpty()) {
            StateSpec spec = naive.states
                    .states
                    .get(random.nextInt(naive.states.states.size()))
                    .spec();
            StateKey key = new StateKey(spec.id(), spec.family(), spec.mark(), spec.saddr());
            State found = spec.id().spi() == 0 ? null : named(spec);
            say(() -> "delete " + found + " by " + key);
            boolean hard = random.nextInt(3) == 0 && found != null && found.isValid();
            Errno refusal = hard
                    ? refusalOf(() -> engine.expireState(key, true, Origin.KERNEL))
                    : refusalOf(() -> engine.deleteState(key, Origin.KERNEL));
            assertEquals(found == null ? Errno.ESRCH : null, refusal);
            assertTrue(found == null || found.phase() == Phase.DEAD);
            naive.states.states.remove(found);
        }
    }

    final void updateState() {
        if (!naive.states.states.isEmpty()) {
            StateSpecBuilder spec =
                    naive.states.states.get(random.nextInt(naive.states.states.size())).spec().toBuilder()
                            .lifetime(entries.lifetime());
            spec.ifId(random.nextInt(3) == 0 ? 1 : spec.ifId());
            spec.direction(spec.pcpu() == StateSpec.ABSENT ? 0 : StateSpec.DIRECTION_OUT);
            spec.mark(spec.mark().sanitized());
            update(RandomEntries.complete(spec).build());
        }
    }

    private void update(StateSpec spec) {
        State old = spec.id().spi() == 0 ? null : updatedBy(spec);
        say(() -> "update " + old + " to " + RandomEntries.text(spec));
        Phase phase = old == null ? null : old.phase();
        boolean moves =
                old != null && spec.ifId() != 0 && spec.ifId() != old.spec().ifId();
        State[] now = new State[1];
        Errno refusal = refusalOf(() -> now[0] = engine.updateState(spec, Origin.KERNEL));
        if (old == null) {
            assertTrue(
                    refusal == Errno.ESRCH
                            || refusal == Errno.EINVAL && spec.id().spi() == 0,
                    () -> "refused with " + refusal);
        } else if (phase == Phase.VALID) {
            assertSame(old, now[0]);
            assertEquals(spec.lifetime(), old.spec().lifetime());
            if (old.phase() == Phase.DEAD) {
                // It has carried more than its new limits allow.
                naive.states.states.remove(old);
            } else if (moves) {
                naive.states.states.remove(old);
                naive.states.states.add(old);
            }
        } else if (phase == Phase.ACQUIRING) {
            assertNull(refusal);
            assertEquals(Phase.DEAD, old.phase());
            naive.states.states.remove(old);
            naive.states.states.add(now[0]);
        } else {
            // One that failed was for packets that leave, and only a larval State is found without saying so.
            assertEquals(old.spec().direction() != 0 ? Errno.ESRCH : Errno.EINVAL, refusal);
        }
    }

    final void allocateSpi() {
        StateSpecBuilder spec = entries.state().mark(Mark.NONE);
        StateSpec wanted = spec.build();
        say(() -> "allocate a Spi for " + RandomEntries.text(wanted));
        State[] larval = new State[1];
        refusalOf(() -> larval[0] = engine.allocateSpi(new SpiRequest(wanted, 1, 6, Origin.KERNEL)));
        List<State> real = all(engine.states(any -> true));
        Set<State> known = identities(naive.states.states);
        List<State> fresh =
                real.stream().filter(state -> !known.contains(state)).toList();
        assertTrue(fresh.size() <= 1);
        naive.states.states.addAll(fresh);
        if (larval[0] != null) {
            assertEquals(Phase.ACQUIRING, larval[0].phase());
            // It got its Spi now, or had it.
            naive.states.states.remove(larval[0]);
            naive.states.states.add(larval[0]);
        }
    }

    private interface Verb {
        void run() throws XfrmException;
    }

    private static Errno refusalOf(Verb verb) {
        try {
            verb.run();
            return null;
        } catch (XfrmException refusal) {
            return refusal.errno();
        }
    }

    static Set<State> identities(List<State> states) {
        Set<State> set = Collections.newSetFromMap(new IdentityHashMap<>());
        set.addAll(states);
        return set;
    }

    static <T> List<T> all(Dump<T> dump) {
        List<T> all = new ArrayList<>();
        for (T entry = dump.next(); entry != null; entry = dump.next()) {
            all.add(entry);
        }
        return all;
    }
}
