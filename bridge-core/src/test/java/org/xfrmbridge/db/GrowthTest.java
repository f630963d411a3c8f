package org.xfrmbridge.db;

import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;

import com.google.common.util.concurrent.Uninterruptibles;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.xfrmbridge.xfrm.Address;
import org.xfrmbridge.xfrm.AddressFamily;
import org.xfrmbridge.xfrm.Direction;
import org.xfrmbridge.xfrm.Flow;
import org.xfrmbridge.xfrm.Mark;
import org.xfrmbridge.xfrm.Policy;
import org.xfrmbridge.xfrm.PolicySpec;
import org.xfrmbridge.xfrm.Selector;
import org.xfrmbridge.xfrm.State;
import org.xfrmbridge.xfrm.State.Phase;
import org.xfrmbridge.xfrm.StateSpecBuilder;
import org.xfrmbridge.xfrm.Usage;

/**
 * Readers look for what is there all the time, while the tables around it grow, shrink and fill with removed entries.
 * It takes as long as the machine needs; only who makes no step in a minute hangs.
 */
class GrowthTest {
    private static final int ROUNDS = 5;
    private static final int ENTRIES = 20_000;
    private static final int KEPT = 64;
    private static final int READERS = 2;
    private static final int HANG_SECONDS = 60;

    /** Daemons, as nothing ends a thread that hangs in a loop. */
    private final ExecutorService threads =
            Executors.newCachedThreadPool(Thread.ofPlatform().daemon().factory());

    private final AtomicBoolean stopped = new AtomicBoolean();
    private final AtomicLong changes = new AtomicLong();

    @AfterEach
    void stop() {
        stopped.set(true);
        threads.shutdown();
    }

    /** Makes changes while readers look; each of them looks before the first change, and until after the last. */
    private void assertAlwaysFound(BooleanSupplier finds, Runnable makeChanges) throws Exception {
        List<AtomicLong> rounds = new ArrayList<>();
        List<Future<?>> readers = new ArrayList<>();
        CountDownLatch looking = new CountDownLatch(READERS);
        for (int i = 0; i < READERS; i++) {
            AtomicLong round = new AtomicLong();
            rounds.add(round);
            readers.add(threads.submit(() -> look(finds, round, looking)));
        }
        await(
                threads.submit(() -> {
                    Uninterruptibles.awaitUninterruptibly(looking);
                    makeChanges.run();
                }),
                changes);
        stopped.set(true);
        for (int i = 0; i < READERS; i++) {
            await(readers.get(i), rounds.get(i));
        }
    }

    private void look(BooleanSupplier finds, AtomicLong rounds, CountDownLatch looking) {
        looking.countDown();
        do {
            assertTrue(finds.getAsBoolean(), () -> "missed in round " + rounds);
            rounds.incrementAndGet();
        } while (!stopped.get());
    }

    private static void await(Future<?> work, AtomicLong steps) throws Exception {
        for (long before = -1; before != steps.get(); ) {
            before = steps.get();
            try {
                work.get(HANG_SECONDS, TimeUnit.SECONDS);
                return;
            } catch (TimeoutException e) {
                // Slow is not hanging.
                continue;
            }
        }
        fail("hangs in step " + steps);
    }

    private void changed() {
        changes.incrementAndGet();
    }

    @Test
    void shouldAlwaysFindStatesThatStayWhileOthersComeAndGo() throws Exception {
        Sad sad = new Sad();
        for (int i = 1; i <= KEPT; i++) {
            sad.insert(new State(SadTest.spec(i), Phase.VALID, new Usage(0)));
        }
        BooleanSupplier finds = () -> {
            for (int i = 1; i <= KEPT; i++) {
                State found = sad.lookup(SadTest.spec(i).id(), AddressFamily.INET, 0);
                if (found == null || found.id().spi() != i) {
                    return false;
                }
            }
            return true;
        };
        assertAlwaysFound(finds, () -> {
            for (int round = 0; round < ROUNDS; round++) {
                List<State> others = new ArrayList<>();
                for (int i = 1; i <= ENTRIES; i++) {
                    State state = new State(SadTest.spec(KEPT + i), Phase.VALID, new Usage(1));
                    sad.insert(state);
                    others.add(state);
                    changed();
                }
                for (State other : others) {
                    sad.remove(other);
                    changed();
                }
            }
        });
    }

    @Test
    void shouldAlwaysFindAStateWhoseYoungerNamesakesComeAndGo() throws Exception {
        Sad sad = new Sad();
        StateSpecBuilder marked = SadTest.spec(1).toBuilder().mark(new Mark(1, 1));
        sad.insert(new State(SadTest.spec(1), Phase.VALID, new Usage(0)));
        BooleanSupplier finds = () -> {
            State found = sad.lookup(SadTest.spec(1).id(), AddressFamily.INET, 0);
            return found != null && !found.spec().mark().equals(marked.mark());
        };
        assertAlwaysFound(finds, () -> {
            for (int i = 0; i < 50 * ENTRIES; i++) {
                State other = new State(i % 3 == 0 ? SadTest.spec(1) : marked.build(), Phase.VALID, new Usage(1));
                sad.insert(other);
                sad.remove(other);
                changed();
            }
        });
    }

    @Test
    void shouldAlwaysFindPoliciesThatStayOrAreReplacedWhileOthersComeAndGo() throws Exception {
        Spd spd = new Spd();
        for (int i = 0; i < KEPT; i++) {
            spd.add(spec(i, 32), 0);
        }
        BooleanSupplier finds = () -> {
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
        };
        assertAlwaysFound(finds, () -> {
            for (int round = 0; round < ROUNDS; round++) {
                List<Policy> others = new ArrayList<>();
                for (int i = 0; i < ENTRIES; i++) {
                    others.add(spd.add(spec(KEPT + i, 8 + i % 25), 0));
                    if (i % 16 == 0) {
                        spd.replace(spec(i / 16 % KEPT, 32), 0);
                    }
                    changed();
                }
                others.stream()
                        .filter(policy -> policy != null && !policy.isDead())
                        .forEach(policy -> {
                            spd.remove(policy);
                            changed();
                        });
            }
        });
    }

    @Test
    void shouldAlwaysFindOneOfTwoPoliciesThatTakeTurns() throws Exception {
        Spd spd = new Spd();
        PolicySpec[] turns = {spec(1, 24), both32(1), spec(1, 16), both32(1), spec(1, 8), spec(1, 32), both32(1)};
        Policy first = spd.add(turns[0], 0);
        BooleanSupplier finds = () -> {
            Flow flow = new Flow();
            flow.family = AddressFamily.INET;
            flow.daddrHigh = flow.saddrHigh = address(1).high();
            return spd.lookup(PolicySpec.Type.MAIN, Direction.OUT, flow) != null;
        };
        assertAlwaysFound(finds, () -> {
            Policy current = first;
            for (int i = 1; i <= 50 * ENTRIES; i++) {
                Policy next = spd.replace(turns[i % turns.length], 0);
                if (i % 3 == 0) {
                    next = spd.replace(next.spec(), 0);
                }
                spd.remove(current);
                current = next;
                changed();
            }
        });
    }

    @Test
    void shouldAlwaysFindAPolicyWhoseTableGivesWayToTheTrie() throws Exception {
        Spd spd = new Spd();
        Policy first = spd.add(both32(1), 0);
        BooleanSupplier finds = () -> {
            Flow flow = new Flow();
            flow.family = AddressFamily.INET;
            flow.daddrHigh = flow.saddrHigh = address(1).high();
            return spd.lookup(PolicySpec.Type.MAIN, Direction.OUT, flow) != null;
        };
        assertAlwaysFound(finds, () -> {
            Policy other = first;
            for (int i = 0; i < 2 * ENTRIES; i++) {
                List<Policy> added = new ArrayList<>(List.of(spd.add(spec(1, 24), 0)));
                spd.remove(other);
                for (int pair = 1; pair <= 8; pair++) {
                    added.add(spd.add(spec(KEPT, pair), 0));
                }
                other = spd.add(both32(1), 0);
                added.forEach(spd::remove);
                changed();
            }
        });
    }

    /**
     * A wide policy in the trie may be no more than a last resort: it must not rule for a moment because the table of a
     * better one goes first.
     */
    @Test
    void shouldNotFindALesserPolicyWhileAllAreFlushed() throws Exception {
        Spd spd = new Spd();
        BooleanSupplier finds = () -> {
            Flow flow = new Flow();
            flow.family = AddressFamily.INET;
            flow.daddrHigh = flow.saddrHigh = address(1).high();
            Policy found = spd.lookup(PolicySpec.Type.MAIN, Direction.OUT, flow);
            return found == null || found.spec().selector().daddrPrefix() == 32;
        };
        assertAlwaysFound(finds, () -> {
            for (int i = 0; i < 5 * ENTRIES; i++) {
                spd.add(both32(1), 0);
                for (int pair = 1; pair <= 8; pair++) {
                    spd.add(spec(1, pair), 0);
                }
                spd.removeAll(PolicySpec.Type.MAIN, policy -> {});
                changed();
            }
        });
    }

    private static PolicySpec both32(int number) {
        Selector selector = Selector.of(AddressFamily.INET)
                .saddr(address(number), 32)
                .daddr(address(number), 32)
                .build();
        return PolicySpec.builder().selector(selector).build();
    }

    /** Those that stay have priority 0; the others have another, and other addresses. */
    private static PolicySpec spec(int number, int prefixBits) {
        Selector selector = Selector.of(AddressFamily.INET)
                .daddr(address(number), prefixBits)
                .build();
        return PolicySpec.builder()
                .selector(selector)
                .priority(number < KEPT ? 0 : 100_000 - number)
                .build();
    }

    private static Address address(int number) {
        return Address.ofIpv4((number < KEPT ? 0x0a000000 : 0x0b000000) + number);
    }
}
