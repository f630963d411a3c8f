package org.xfrmbridge.db;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Random;
import java.util.function.Function;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.xfrmbridge.model.Model;
import org.xfrmbridge.model.ModelRun;
import org.xfrmbridge.xfrm.Direction;
import org.xfrmbridge.xfrm.Flow;
import org.xfrmbridge.xfrm.Policy;
import org.xfrmbridge.xfrm.PolicyKey;
import org.xfrmbridge.xfrm.PolicySpec;

/** The Spd against a {@link PolicyList}. */
class SpdModelTest extends Model {
    private static final int[] PRIORITIES = {0, 1, 1, 2, 1000, Integer.MAX_VALUE, Integer.MIN_VALUE, -1};
    private static final int KNOWN_FLOWS = 50;

    /** Operations between two flushes, in the mean. */
    private static final int ERA = 8192;

    private final Spd spd = new Spd();
    private final PolicyList model = new PolicyList();
    private final Flow flow = new Flow();
    private Function<Random, RandomFlows> worlds = RandomFlows::new;
    private RandomFlows flows;
    private int directions;
    private int types;
    private final SocketPolicies sockets = new SocketPolicies(spd);
    private final List<Known> known = new ArrayList<>();

    /** What was found for a flow once, and may still be true. */
    private record Known(Direction direction, Flow flow, Policy[] found, PolicyFreshness freshness) {}

    @Test
    void shouldAnswerLikeAListWhenPoliciesComeAndGo() {
        ModelRun.check(SpdModelTest::new);
    }

    @Test
    void shouldAnswerLikeAListWhenMostHaveATableByTheirPrefixLengths() {
        ModelRun.check(() -> {
            SpdModelTest model = new SpdModelTest();
            model.worlds = RandomFlows::ofFewPrefixes;
            return model;
        });
    }

    @Override
    protected void operate(int index) {
        if (flows == null || random.nextInt(ERA) == 0) {
            beginEra();
        }
        int most = 200 + index / 50;
        switch (random.nextInt(10)) {
            case 0, 1 -> insert(spec(), random.nextBoolean());
            case 2 -> update();
            case 3 -> remove(model.size() > most ? 5 : 1);
            case 4 -> lookUpByName();
            default -> lookUp();
        }
        compareKnown();
    }

    /** What is there is flushed, at least in part, and what comes is of another kind. */
    private void beginEra() {
        for (PolicySpec.Type type : PolicySpec.Type.values()) {
            if (random.nextInt(4) != 0) {
                say(() -> "flush " + type);
                List<Policy> expected = model.policies().reversed().stream()
                        .filter(policy -> policy.spec().type() == type)
                        .toList();
                List<Policy> removed = new ArrayList<>();
                assertEquals(expected.size(), spd.removeAll(type, removed::add));
                assertEquals(expected, removed);
                expected.forEach(model::remove);
            }
        }
        flows = worlds.apply(random);
        directions = 1 + random.nextInt(3);
        types = 1 + random.nextInt(2);
    }

    private Direction direction() {
        return Direction.of(random.nextInt(directions));
    }

    private PolicySpec.Type type() {
        return PolicySpec.Type.values()[random.nextInt(types)];
    }

    /** Some of the flows that were looked up before: what is said to hold does. */
    private void compareKnown() {
        for (int i = random.nextInt(4); i > 0 && !known.isEmpty(); i--) {
            int index = random.nextInt(known.size());
            Known old = known.get(index);
            if (old.freshness.holds(old.flow, old.found)) {
                assertArrayEquals(find(old.direction, old.flow), old.found, () -> "of " + old.flow);
            } else {
                known.remove(index);
            }
        }
    }

    private Policy[] find(Direction direction, Flow of) {
        return Stream.of(PolicySpec.Type.SUB, PolicySpec.Type.MAIN)
                .map(type -> model.lookup(type, direction, of))
                .filter(Objects::nonNull)
                .toArray(Policy[]::new);
    }

    @Override
    protected void finish() {
        compareWalks();
        remove(model.size());
        assertTrue(spd.isEmpty(Direction.OUT));
        assertNull(spd.walk(PolicySpec.Type.MAIN).next());
    }

    private PolicySpec spec() {
        int family = flows.family();
        return PolicySpec.builder()
                .selector(flows.selector(family))
                .priority(PRIORITIES[random.nextInt(PRIORITIES.length)])
                .direction(direction())
                .mark(flows.mark())
                .ifId(flows.ifId())
                .type(type())
                .securityContext(flows.securityContext())
                .build();
    }

    private void insert(PolicySpec spec, boolean exclusive) {
        say(() -> (exclusive ? "add " : "replace ") + spec);
        Policy old = model.named(spec);
        Policy policy = exclusive ? spd.add(spec, 7) : spd.replace(spec, 7);
        if (exclusive && old != null) {
            assertNull(policy);
            return;
        }
        model.put(policy, old);
        assertEquals(spec, policy.spec().withIndex(0));
        assertEquals(spec.direction().number(), policy.spec().index() & 7);
        assertTrue(old == null
                || old.isDead() && old.spec().index() == policy.spec().index());
    }

    private void update() {
        if (model.size() > 0) {
            PolicySpec spec = model.get(random.nextInt(model.size())).spec().withIndex(0);
            int priority = random.nextBoolean() ? spec.priority() : PRIORITIES[random.nextInt(PRIORITIES.length)];
            insert(withPriority(spec, priority), false);
        }
    }

    private static PolicySpec withPriority(PolicySpec spec, int priority) {
        return PolicySpec.builder()
                .selector(spec.selector())
                .lifetime(spec.lifetime())
                .priority(priority)
                .direction(spec.direction())
                .action(spec.action())
                .mark(spec.mark())
                .ifId(spec.ifId())
                .type(spec.type())
                .securityContext(spec.securityContext())
                .build();
    }

    private void remove(int count) {
        for (int i = 0; i < count && model.size() > 0; i++) {
            Policy policy = model.get(random.nextInt(model.size()));
            model.remove(policy);
            say(() -> "remove " + policy);
            assertFalse(policy.isDead());
            spd.remove(policy);
            assertTrue(policy.isDead());
        }
    }

    private void lookUp() {
        flows.fill(flow, flows.family());
        Direction direction = direction();
        PolicySpec.Type type = type();
        say(() -> "look up " + type + " " + direction + " " + flow);
        assertSame(model.lookup(type, direction, flow), spd.lookup(type, direction, flow));
        if (known.size() < KNOWN_FLOWS) {
            Flow copy = new Flow().copyFrom(flow);
            known.add(new Known(
                    direction, copy, find(direction, copy), new PolicyFreshness(spd, sockets, direction, copy)));
        }
    }

    private void lookUpByName() {
        boolean known = model.size() > 0 && random.nextInt(4) != 0;
        PolicySpec spec = known ? model.get(random.nextInt(model.size())).spec() : spec();
        Policy policy = model.named(spec);
        assertSame(policy, spd.get(key(spec, 0)));
        if (policy != null) {
            assertSame(policy, spd.get(key(spec, spec.index())));
        }
    }

    private static PolicyKey key(PolicySpec spec, int index) {
        return new PolicyKey(
                spec.type(),
                spec.direction(),
                index,
                spec.selector(),
                spec.mark(),
                spec.ifId(),
                spec.securityContext());
    }

    private void compareWalks() {
        for (PolicySpec.Type type : PolicySpec.Type.values()) {
            Dump<Policy> walk = spd.walk(type);
            for (Policy policy : model.policies().reversed()) {
                if (policy.spec().type() == type) {
                    assertSame(policy, walk.next());
                }
            }
            assertNull(walk.next());
        }
        for (Direction direction : Direction.values()) {
            long expected = model.policies().stream()
                    .filter(policy -> policy.spec().direction() == direction)
                    .count();
            assertEquals(expected, spd.count(direction));
        }
    }
}
