package org.xfrmbridge.db;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.xfrmbridge.km.XfrmService.Dump;
import org.xfrmbridge.km.XfrmService.PolicyKey;
import org.xfrmbridge.xfrm.Address;
import org.xfrmbridge.xfrm.AddressFamily;
import org.xfrmbridge.xfrm.Direction;
import org.xfrmbridge.xfrm.Flow;
import org.xfrmbridge.xfrm.Lifetime;
import org.xfrmbridge.xfrm.Policy;
import org.xfrmbridge.xfrm.PolicySpec;
import org.xfrmbridge.xfrm.Selector;

/**
 * The Spd against a list that is searched from end to end and knows bits, not longs. What an update does to the order is as Linux 6.18
 * showed it with {@code ip xfrm policy update} and the ACQUIREs of a ping.
 */
class SpdModelTest {
    private static final int OPERATIONS = 50_000;
    private static final int[] PRIORITIES = {0, 1, 1, 2, 1000, Integer.MAX_VALUE, Integer.MIN_VALUE, -1};

    private final Spd spd = new Spd();
    private final List<Entry> model = new ArrayList<>();
    private final Flow flow = new Flow();
    private long nextAge;

    /** @param place where it stands in its list, which an update of the same priority inherits */
    private record Entry(Policy policy, long age, long place) {}

    @ParameterizedTest
    @ValueSource(longs = {1, 2})
    void shouldAnswerLikeAListWhenPoliciesComeAndGo(long seed) {
        Random random = new Random(seed);
        RandomFlows flows = new RandomFlows(random);
        for (int i = 0; i < OPERATIONS; i++) {
            int most = 200 + i / 50;
            switch (random.nextInt(10)) {
                case 0, 1 -> insert(spec(random, flows), random.nextBoolean());
                case 2 -> update(random);
                case 3 -> remove(random, model.size() > most ? 5 : 1);
                case 4 -> lookUpByName(random, flows);
                default -> lookUp(random, flows);
            }
        }
        compareWalks();
        remove(random, model.size());
        assertTrue(spd.isEmpty(Direction.OUT));
        assertNull(spd.walk(PolicySpec.Type.MAIN).next());
    }

    private PolicySpec spec(Random random, RandomFlows flows) {
        int family = flows.family();
        return new PolicySpec(
                flows.selector(family),
                Lifetime.UNLIMITED,
                PRIORITIES[random.nextInt(PRIORITIES.length)],
                0,
                Direction.of(random.nextInt(3)),
                PolicySpec.Action.ALLOW,
                0,
                0,
                List.of(),
                flows.mark(),
                random.nextInt(8) == 0 ? 1 : 0,
                PolicySpec.Type.values()[random.nextInt(2)],
                random.nextInt(16) == 0 ? new byte[] {1, 2} : null);
    }

    private void insert(PolicySpec spec, boolean exclusive) {
        int generation = spd.generation();
        Entry old = named(spec);
        Policy policy = exclusive ? spd.add(spec, 7) : spd.replace(spec, 7);
        if (exclusive && old != null) {
            assertNull(policy);
            assertEquals(generation, spd.generation());
            return;
        }
        boolean keepsPlace = old != null && old.policy().spec().priority() == spec.priority();
        model.remove(old);
        model.add(new Entry(policy, nextAge, keepsPlace ? old.place() : nextAge));
        nextAge++;
        assertEquals(spec, policy.spec().withIndex(0));
        assertEquals(spec.direction().number(), policy.spec().index() & 7);
        assertTrue(old == null || old.policy().isDead() && old.policy().spec().index() == policy.spec().index());
        assertTrue(generation != spd.generation());
    }

    private void update(Random random) {
        if (!model.isEmpty()) {
            PolicySpec spec = model.get(random.nextInt(model.size())).policy().spec().withIndex(0);
            int priority = random.nextBoolean() ? spec.priority() : PRIORITIES[random.nextInt(PRIORITIES.length)];
            insert(withPriority(spec, priority), false);
        }
    }

    private static PolicySpec withPriority(PolicySpec spec, int priority) {
        return new PolicySpec(
                spec.selector(), spec.lifetime(), priority, 0, spec.direction(), spec.action(), 0, 0, List.of(), spec.mark(),
                spec.ifId(), spec.type(), spec.securityContext());
    }

    private void remove(Random random, int count) {
        for (int i = 0; i < count && !model.isEmpty(); i++) {
            Policy policy = model.remove(random.nextInt(model.size())).policy();
            assertTrue(spd.contains(policy));
            spd.remove(policy);
            assertFalse(spd.contains(policy));
            assertTrue(policy.isDead());
        }
    }

    private void lookUp(Random random, RandomFlows flows) {
        flows.fill(flow, flows.family());
        Direction direction = Direction.of(random.nextInt(3));
        PolicySpec.Type type = PolicySpec.Type.values()[random.nextInt(2)];
        Entry[] bestOfList = new Entry[5];
        for (Entry entry : model) {
            PolicySpec spec = entry.policy().spec();
            int list = list(spec.selector());
            boolean found = spec.type() == type && spec.direction() == direction && matches(spec);
            if (found && (bestOfList[list] == null || leads(entry, bestOfList[list]))) {
                bestOfList[list] = entry;
            }
        }
        Entry best = null;
        for (Entry entry : bestOfList) {
            best = entry != null && (best == null || wins(entry, best)) ? entry : best;
        }
        assertSame(best == null ? null : best.policy(), spd.lookup(type, direction, flow));
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
        return order < 0 || order == 0 && entry.place() < best.place();
    }

    private static boolean wins(Entry entry, Entry best) {
        int order = order(entry, best);
        return order < 0 || order == 0 && entry.age() < best.age();
    }

    private static int order(Entry entry, Entry best) {
        return Integer.compareUnsigned(entry.policy().spec().priority(), best.policy().spec().priority());
    }

    private boolean matches(PolicySpec spec) {
        Selector selector = spec.selector();
        return selector.family() == flow.family
                && spec.ifId() == flow.ifId
                && (flow.mark & spec.mark().mask()) == spec.mark().value()
                && samePrefix(selector.saddr(), flow.saddr(), selector.saddrPrefix())
                && samePrefix(selector.daddr(), flow.daddr(), selector.daddrPrefix())
                && (selector.protocol() == 0 || selector.protocol() == flow.protocol)
                && (selector.ifindex() == 0 || selector.ifindex() == flow.ifindex)
                && (selector.sport() & selector.sportMask()) == (flow.sport & selector.sportMask())
                && (selector.dport() & selector.dportMask()) == (flow.dport & selector.dportMask());
    }

    private static boolean samePrefix(Address one, Address other, int prefixBits) {
        return bits(one).xor(bits(other)).shiftRight(128 - prefixBits).signum() == 0;
    }

    private static BigInteger bits(Address address) {
        return new BigInteger(1, ByteBuffer.allocate(16).putLong(address.high()).putLong(address.low()).array());
    }

    private Entry named(PolicySpec spec) {
        for (Entry entry : model) {
            PolicySpec other = entry.policy().spec();
            if (other.type() == spec.type()
                    && other.direction() == spec.direction()
                    && other.ifId() == spec.ifId()
                    && other.selector().equals(spec.selector())
                    && other.mark().equals(spec.mark())
                    && (other.securityContext() == null) == (spec.securityContext() == null)) {
                return entry;
            }
        }
        return null;
    }

    private void lookUpByName(Random random, RandomFlows flows) {
        boolean known = !model.isEmpty() && random.nextInt(4) != 0;
        PolicySpec spec = known ? model.get(random.nextInt(model.size())).policy().spec() : spec(random, flows);
        Entry expected = named(spec);
        Policy policy = expected == null ? null : expected.policy();
        assertSame(policy, spd.get(key(spec, 0)));
        if (expected != null) {
            assertSame(policy, spd.get(key(spec, spec.index())));
        }
    }

    private static PolicyKey key(PolicySpec spec, int index) {
        return new PolicyKey(
                spec.type(), spec.direction(), index, spec.selector(), spec.mark(), spec.ifId(), spec.securityContext());
    }

    private void compareWalks() {
        for (PolicySpec.Type type : PolicySpec.Type.values()) {
            Dump<Policy> walk = spd.walk(type);
            for (Entry entry : model.reversed()) {
                if (entry.policy().spec().type() == type) {
                    assertSame(entry.policy(), walk.next());
                }
            }
            assertNull(walk.next());
            assertFalse(walk.interrupted());
        }
        for (Direction direction : Direction.values()) {
            long expected = model.stream().filter(e -> e.policy().spec().direction() == direction).count();
            assertEquals(expected, spd.count(direction));
        }
    }
}
