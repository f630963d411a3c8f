package org.xfrmbridge.db;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.xfrmbridge.xfrm.Address;
import org.xfrmbridge.xfrm.AddressFamily;
import org.xfrmbridge.xfrm.Direction;
import org.xfrmbridge.xfrm.Flow;
import org.xfrmbridge.xfrm.Lifetime;
import org.xfrmbridge.xfrm.Mark;
import org.xfrmbridge.xfrm.Policy;
import org.xfrmbridge.xfrm.PolicySpec;
import org.xfrmbridge.xfrm.Selector;
import org.xfrmbridge.xfrm.State;
import org.xfrmbridge.xfrm.State.Phase;
import org.xfrmbridge.xfrm.StateSpec;
import org.xfrmbridge.xfrm.Usage;

/** Readers look for what is there all the time, while the tables around it grow, shrink and fill with removed entries. */
@Timeout(60)
class GrowthTest {
    private static final int ROUNDS = 5;
    private static final int ENTRIES = 20_000;
    private static final int KEPT = 64;

    private final ExecutorService readers = Executors.newFixedThreadPool(2);
    private final AtomicBoolean stopped = new AtomicBoolean();

    @AfterEach
    void stop() {
        stopped.set(true);
        readers.shutdownNow();
    }

    @Test
    void shouldAlwaysFindStatesThatStayWhileOthersComeAndGo() throws Exception {
        Sad sad = new Sad();
        for (int i = 1; i <= KEPT; i++) {
            sad.insert(new State(SadTest.spec(i), Phase.VALID, new Usage(0)));
        }
        List<Future<Long>> lookups = read(() -> {
            for (int i = 1; i <= KEPT; i++) {
                State found = sad.lookup(SadTest.spec(i).id(), AddressFamily.INET, 0);
                if (found == null || found.id().spi() != i) {
                    return false;
                }
            }
            return true;
        });
        for (int round = 0; round < ROUNDS; round++) {
            List<State> others = new ArrayList<>();
            for (int i = 1; i <= ENTRIES; i++) {
                State state = new State(SadTest.spec(KEPT + i), Phase.VALID, new Usage(1));
                sad.insert(state);
                others.add(state);
            }
            others.forEach(sad::remove);
        }
        assertAllFound(lookups);
    }

    @Test
    void shouldAlwaysFindAStateWhoseYoungerNamesakesComeAndGo() throws Exception {
        Sad sad = new Sad();
        StateSpec.Builder marked = SadTest.spec(1).toBuilder();
        marked.mark = new Mark(1, 1);
        sad.insert(new State(SadTest.spec(1), Phase.VALID, new Usage(0)));
        List<Future<Long>> lookups = read(() -> {
            State found = sad.lookup(SadTest.spec(1).id(), AddressFamily.INET, 0);
            return found != null && !found.spec().mark().equals(marked.mark);
        });
        for (int i = 0; i < 50 * ENTRIES; i++) {
            State other = new State(i % 3 == 0 ? SadTest.spec(1) : marked.build(), Phase.VALID, new Usage(1));
            sad.insert(other);
            sad.remove(other);
        }
        assertAllFound(lookups);
    }

    @Test
    void shouldAlwaysFindPoliciesThatStayOrAreReplacedWhileOthersComeAndGo() throws Exception {
        Spd spd = new Spd();
        for (int i = 0; i < KEPT; i++) {
            spd.add(spec(i, 32), 0);
        }
        List<Future<Long>> lookups = read(() -> {
            Flow flow = new Flow();
            flow.family = AddressFamily.INET;
            for (int i = 0; i < KEPT; i++) {
                flow.daddrHigh = address(i).high();
                Policy found = spd.lookup(PolicySpec.Type.MAIN, Direction.OUT, flow);
                if (found == null || found.spec().selector().daddr().high() != flow.daddrHigh) {
                    return false;
                }
            }
            return true;
        });
        for (int round = 0; round < ROUNDS; round++) {
            List<Policy> others = new ArrayList<>();
            for (int i = 0; i < ENTRIES; i++) {
                others.add(spd.add(spec(KEPT + i, 8 + i % 25), 0));
                if (i % 16 == 0) {
                    spd.replace(spec(i / 16 % KEPT, 32), 0);
                }
            }
            others.stream().filter(policy -> policy != null && !policy.isDead()).forEach(spd::remove);
        }
        assertAllFound(lookups);
    }

    @Test
    void shouldAlwaysFindOneOfTwoPoliciesThatTakeTurns() throws Exception {
        Spd spd = new Spd();
        PolicySpec[] turns = {spec(1, 24), both32(1), spec(1, 16), both32(1), spec(1, 8), spec(1, 32), both32(1)};
        Policy current = spd.add(turns[0], 0);
        List<Future<Long>> lookups = read(() -> {
            Flow flow = new Flow();
            flow.family = AddressFamily.INET;
            flow.daddrHigh = flow.saddrHigh = address(1).high();
            return spd.lookup(PolicySpec.Type.MAIN, Direction.OUT, flow) != null;
        });
        for (int i = 1; i <= 50 * ENTRIES; i++) {
            Policy next = spd.replace(turns[i % turns.length], 0);
            if (i % 3 == 0) {
                next = spd.replace(next.spec(), 0);
            }
            spd.remove(current);
            current = next;
        }
        assertAllFound(lookups);
    }

    @Test
    void shouldAlwaysFindAPolicyWhoseTableGivesWayToTheTrie() throws Exception {
        Spd spd = new Spd();
        Policy other = spd.add(both32(1), 0);
        List<Future<Long>> lookups = read(() -> {
            Flow flow = new Flow();
            flow.family = AddressFamily.INET;
            flow.daddrHigh = flow.saddrHigh = address(1).high();
            return spd.lookup(PolicySpec.Type.MAIN, Direction.OUT, flow) != null;
        });
        for (int i = 0; i < 2 * ENTRIES; i++) {
            List<Policy> added = new ArrayList<>(List.of(spd.add(spec(1, 24), 0)));
            spd.remove(other);
            for (int pair = 1; pair <= 8; pair++) {
                added.add(spd.add(spec(KEPT, pair), 0));
            }
            other = spd.add(both32(1), 0);
            added.forEach(spd::remove);
        }
        assertAllFound(lookups);
    }

    /** A wide policy in the trie may be no more than a last resort: it must not rule for a moment because the table of a better one goes first. */
    @Test
    void shouldNotFindALesserPolicyWhileAllAreFlushed() throws Exception {
        Spd spd = new Spd();
        List<Future<Long>> lookups = read(() -> {
            Flow flow = new Flow();
            flow.family = AddressFamily.INET;
            flow.daddrHigh = flow.saddrHigh = address(1).high();
            Policy found = spd.lookup(PolicySpec.Type.MAIN, Direction.OUT, flow);
            return found == null || found.spec().selector().daddrPrefix() == 32;
        });
        for (int i = 0; i < 5 * ENTRIES; i++) {
            spd.add(both32(1), 0);
            for (int pair = 1; pair <= 8; pair++) {
                spd.add(spec(1, pair), 0);
            }
            spd.removeAll(PolicySpec.Type.MAIN, policy -> {});
        }
        assertAllFound(lookups);
    }

    private static PolicySpec both32(int number) {
        Selector selector = new Selector(
                address(number), address(number), 0, 0, 0, 0, AddressFamily.INET, 32, 32, 0, 0, 0);
        return new PolicySpec(
                selector, Lifetime.UNLIMITED, 0, 0, Direction.OUT, PolicySpec.Action.ALLOW, 0, 0, List.of(), Mark.NONE, 0,
                PolicySpec.Type.MAIN, null);
    }

    /** Those that stay have priority 0; the others have another, and other addresses. */
    private static PolicySpec spec(int number, int prefixBits) {
        Selector selector =
                new Selector(address(number), Address.ANY, 0, 0, 0, 0, AddressFamily.INET, prefixBits, 0, 0, 0, 0);
        return new PolicySpec(
                selector, Lifetime.UNLIMITED, number < KEPT ? 0 : 100_000 - number, 0, Direction.OUT, PolicySpec.Action.ALLOW, 0,
                0, List.of(), Mark.NONE, 0, PolicySpec.Type.MAIN, null);
    }

    private static Address address(int number) {
        return Address.ofIpv4((number < KEPT ? 0x0a000000 : 0x0b000000) + number);
    }

    private List<Future<Long>> read(BooleanSupplier finds) {
        List<Future<Long>> results = new ArrayList<>();
        for (int i = 0; i < 2; i++) {
            results.add(readers.submit(() -> {
                long rounds = 0;
                while (!stopped.get()) {
                    if (!finds.getAsBoolean()) {
                        return -rounds - 1;
                    }
                    rounds++;
                }
                return rounds;
            }));
        }
        return results;
    }

    private void assertAllFound(List<Future<Long>> lookups)
            throws InterruptedException, ExecutionException, TimeoutException {
        stopped.set(true);
        for (Future<Long> result : lookups) {
            long rounds = result.get(10, TimeUnit.SECONDS);
            assertTrue(rounds >= 0, "missed in round " + (-rounds - 1));
        }
        assertEquals(2, lookups.size());
    }
}
