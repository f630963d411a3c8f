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

/** The Spd against a list that is searched from end to end and knows bits, not longs. */
class SpdModelTest {
    private static final int OPERATIONS = 50_000;
    private static final int[] PRIORITIES = {0, 1, 1, 2, 1000, Integer.MAX_VALUE, Integer.MIN_VALUE, -1};

    private final Spd spd = new Spd();
    private final List<Entry> model = new ArrayList<>();
    private final Flow flow = new Flow();
    private long nextAge;

    private record Entry(Policy policy, long age) {}

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
        boolean keepsAge = old != null && old.policy().spec().priority() == spec.priority();
        model.remove(old);
        model.add(new Entry(policy, keepsAge ? old.age() : nextAge++));
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
        Entry best = null;
        for (Entry entry : model) {
            PolicySpec spec = entry.policy().spec();
            if (spec.type() == type && spec.direction() == direction && matches(spec) && (best == null || wins(entry, best))) {
                best = entry;
            }
        }
        assertSame(best == null ? null : best.policy(), spd.lookup(type, direction, flow));
    }

    private static boolean wins(Entry entry, Entry best) {
        int order = Integer.compareUnsigned(entry.policy().spec().priority(), best.policy().spec().priority());
        return order < 0 || order == 0 && entry.age() < best.age();
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
