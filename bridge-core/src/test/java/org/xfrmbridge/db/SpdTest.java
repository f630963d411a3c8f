package org.xfrmbridge.db;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.Random;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.xfrmbridge.xfrm.Address;
import org.xfrmbridge.xfrm.AddressFamily;
import org.xfrmbridge.xfrm.Direction;
import org.xfrmbridge.xfrm.Flow;
import org.xfrmbridge.xfrm.Mark;
import org.xfrmbridge.xfrm.Policy;
import org.xfrmbridge.xfrm.PolicyKey;
import org.xfrmbridge.xfrm.PolicySpec;
import org.xfrmbridge.xfrm.SecurityContext;
import org.xfrmbridge.xfrm.Selector;

class SpdTest {
    private final Spd spd = new Spd();

    static PolicySpec spec(Direction direction, String daddr, int daddrPrefix, int priority) {
        Selector selector = Selector.of(AddressFamily.INET)
                .daddr(Address.parse(daddr), daddrPrefix)
                .build();
        return PolicySpec.builder()
                .selector(selector)
                .priority(priority)
                .direction(direction)
                .build();
    }

    private static PolicyKey atIndex(Direction direction, int index) {
        return new PolicyKey(PolicySpec.Type.MAIN, direction, index, Selector.any(2), Mark.NONE, 0, null);
    }

    private static Flow flowTo(String daddr) {
        Flow flow = new Flow();
        flow.family = AddressFamily.INET;
        flow.daddrHigh = Address.parse(daddr).high();
        flow.protocol = 6;
        return flow;
    }

    @Test
    void shouldCountIndexesAsTheKernelWhenNoneIsGiven() {
        assertEquals(8, spd.add(spec(Direction.IN, "10.0.0.1", 32, 0), 0).spec().index());
        assertEquals(
                9, spd.add(spec(Direction.OUT, "10.0.0.1", 32, 0), 0).spec().index());
        assertEquals(
                18, spd.add(spec(Direction.FWD, "10.0.0.1", 32, 0), 0).spec().index());
        assertEquals(
                24, spd.add(spec(Direction.IN, "10.0.0.2", 32, 0), 0).spec().index());
        assertEquals(
                35,
                spd.linkSocketPolicy(spec(Direction.IN, "10.0.0.2", 32, 0), 0)
                        .spec()
                        .index());
    }

    @Test
    void shouldStartAtOneWhenTheFirstPolicyIsOutbound() {
        assertEquals(
                1, spd.add(spec(Direction.OUT, "10.0.0.1", 32, 0), 0).spec().index());
    }

    @Test
    void shouldTakeTheWantedIndexUnlessItIsTaken() {
        assertEquals(
                0x801,
                spd.add(spec(Direction.OUT, "10.0.0.1", 32, 0).withIndex(0x801), 0)
                        .spec()
                        .index());
        assertEquals(
                1,
                spd.add(spec(Direction.OUT, "10.0.0.2", 32, 0).withIndex(0x801), 0)
                        .spec()
                        .index());
    }

    @Test
    void shouldFindByIndexOnlyInItsDirection() {
        Policy policy = spd.add(spec(Direction.OUT, "10.0.0.1", 32, 0), 0);
        assertSame(policy, spd.get(atIndex(Direction.OUT, policy.spec().index())));
        assertNull(spd.get(atIndex(Direction.IN, policy.spec().index())));
    }

    /** With time that grows with the square of their number this takes minutes. */
    @Test
    @Timeout(20)
    void shouldFindTheBestOfManyThatOnlyNamesTellApart() {
        List<Policy> policies = new ArrayList<>();
        for (int i = 0; i < 100_000; i++) {
            policies.add(spd.add(hostBits(i), 0));
            assertNull(i % 100 == 0 ? spd.add(hostBits(i), 0) : null);
        }
        Collections.shuffle(policies, new Random(1));
        TreeSet<Policy> left = new TreeSet<>(
                Comparator.comparing((Policy policy) -> policy.spec().priority())
                        .thenComparing(Policy::age));
        left.addAll(policies);
        Flow flow = flowTo("10.1.2.3");
        for (Policy policy : policies) {
            assertSame(left.first(), spd.lookup(PolicySpec.Type.MAIN, Direction.OUT, flow));
            assertSame(policy, spd.get(name(policy.spec())));
            spd.remove(policy);
            left.remove(policy);
        }
        assertNull(spd.lookup(PolicySpec.Type.MAIN, Direction.OUT, flow));
    }

    /** All of 10.0.0.0/8, one by one in host bits or security context. */
    private static PolicySpec hostBits(int number) {
        PolicySpec spec = spec(Direction.OUT, "10.0.0.0", 8, number * 31 % 1000);
        Selector selector = Selector.of(AddressFamily.INET)
                .daddr(Address.ofIpv4(0x0a000001 + number / 2), 8)
                .build();
        return PolicySpec.builder()
                .selector(selector)
                .lifetime(spec.lifetime())
                .priority(spec.priority())
                .direction(spec.direction())
                .action(spec.action())
                .type(spec.type())
                .securityContext(number % 2 == 0 ? null : new SecurityContext(new byte[] {1}))
                .build();
    }

    private static PolicyKey name(PolicySpec spec) {
        return new PolicyKey(
                spec.type(), spec.direction(), 0, spec.selector(), spec.mark(), spec.ifId(), spec.securityContext());
    }

    @Test
    void shouldPreferThePrefixedPolicyWhenItsPriorityIsLower() {
        Policy exact = spd.add(spec(Direction.OUT, "10.0.0.1", 32, 2), 0);
        Policy prefixed = spd.add(spec(Direction.OUT, "10.0.0.0", 8, 1), 0);
        assertSame(prefixed, spd.lookup(PolicySpec.Type.MAIN, Direction.OUT, flowTo("10.0.0.1")));
        spd.remove(prefixed);
        assertSame(exact, spd.lookup(PolicySpec.Type.MAIN, Direction.OUT, flowTo("10.0.0.1")));
    }

    @Test
    void shouldPreferTheOlderPolicyWhenPrioritiesAreEqual() {
        Policy older = spd.add(spec(Direction.OUT, "10.0.0.0", 8, 1), 0);
        spd.add(spec(Direction.OUT, "10.0.0.1", 32, 1), 0);
        assertSame(older, spd.lookup(PolicySpec.Type.MAIN, Direction.OUT, flowTo("10.0.0.1")));
    }

    @Test
    void shouldKeepThePlaceAmongPoliciesOfTheSameSideWhenUpdated() {
        spd.add(spec(Direction.OUT, "10.1.0.0", 16, 1), 0);
        spd.add(spec(Direction.OUT, "10.1.1.0", 24, 1), 0);
        Policy updated = spd.replace(spec(Direction.OUT, "10.1.0.0", 16, 1), 0);
        assertSame(updated, spd.lookup(PolicySpec.Type.MAIN, Direction.OUT, flowTo("10.1.1.1")));
    }

    @Test
    void shouldBeYoungerThanPoliciesOfAnotherSideWhenUpdated() {
        Policy any = spd.add(spec(Direction.OUT, "0.0.0.0", 0, 1), 0);
        Policy prefixed = spd.add(spec(Direction.OUT, "10.1.1.0", 24, 1), 0);
        assertSame(any, spd.lookup(PolicySpec.Type.MAIN, Direction.OUT, flowTo("10.1.1.1")));
        Policy updated = spd.replace(spec(Direction.OUT, "0.0.0.0", 0, 1), 0);
        assertSame(prefixed, spd.lookup(PolicySpec.Type.MAIN, Direction.OUT, flowTo("10.1.1.1")));
        spd.remove(prefixed);
        assertSame(updated, spd.lookup(PolicySpec.Type.MAIN, Direction.OUT, flowTo("10.1.1.1")));
    }

    @Test
    void shouldTellManyPoliciesOfTheSameAddressesApartByTheirPorts() {
        List<Policy> policies = new ArrayList<>();
        for (int port = 1; port <= 1000; port++) {
            policies.add(spd.add(toPort(port), 0));
        }
        Policy wide = spd.add(spec(Direction.OUT, "10.1.1.0", 24, 2), 0);
        for (int port = 1; port <= 1000; port++) {
            assertSame(policies.get(port - 1), spd.lookup(PolicySpec.Type.MAIN, Direction.OUT, flowToPort(port)));
            assertSame(policies.get(port - 1), spd.get(named(toPort(port))));
        }
        policies.forEach(spd::remove);
        assertSame(wide, spd.lookup(PolicySpec.Type.MAIN, Direction.OUT, flowToPort(500)));
    }

    private static PolicySpec toPort(int port) {
        PolicySpec wide = spec(Direction.OUT, "10.1.1.0", 24, 1);
        Selector selector = Selector.of(AddressFamily.INET)
                .daddr(wide.selector().daddr(), 24)
                .dport(port)
                .protocol(6)
                .build();
        return PolicySpec.builder().selector(selector).priority(1).build();
    }

    private static PolicyKey named(PolicySpec spec) {
        return new PolicyKey(spec.type(), spec.direction(), 0, spec.selector(), spec.mark(), spec.ifId(), null);
    }

    private static Flow flowToPort(int port) {
        Flow flow = flowTo("10.1.1.1");
        flow.dport = port;
        return flow;
    }

    @Test
    void shouldKnowWhetherAnyPolicyNamesAnInterface() {
        spd.add(spec(Direction.OUT, "10.0.0.0", 8, 1), 0);
        assertFalse(spd.namesInterface());
        PolicySpec naming = PolicySpec.builder()
                .selector(Selector.of(AddressFamily.INET).ifindex(5).build())
                .direction(Direction.FWD)
                .build();
        spd.replace(naming, 0);
        Policy policy = spd.retarget(spd.replace(naming, 1), List.of());
        assertTrue(spd.namesInterface());
        Policy ofSocket = spd.linkSocketPolicy(naming, 0);
        spd.remove(policy);
        assertTrue(spd.namesInterface());
        spd.unlinkSocketPolicy(ofSocket);
        assertFalse(spd.namesInterface());
        spd.add(naming, 2);
        spd.removeAll(PolicySpec.Type.MAIN, gone -> {});
        assertFalse(spd.namesInterface());
    }

    @Test
    void shouldShowSocketPoliciesInWalksAndNeverFindThem() {
        Policy first = spd.add(spec(Direction.OUT, "10.0.0.0", 8, 1), 0);
        Policy socket = spd.linkSocketPolicy(spec(Direction.OUT, "10.0.0.0", 8, 0), 0);
        assertSame(first, spd.lookup(PolicySpec.Type.MAIN, Direction.OUT, flowTo("10.0.0.1")));
        assertEquals(1, spd.count(Direction.OUT));
        assertEquals(1, spd.socketCount(Direction.OUT));
        Dump<Policy> walk = spd.walk(PolicySpec.Type.MAIN);
        assertSame(socket, walk.next());
        assertTrue(Spd.isSocketPolicy(socket));
        spd.unlinkSocketPolicy(socket);
        assertSame(first, walk.next());
        assertEquals(0, spd.socketCount(Direction.OUT));
    }

    /** Whoever must know a policy's packets knows them while it is found, not less. */
    @Test
    void shouldTellOfAPolicyBeforeItIsFoundAndWhenItIsNoMore() {
        List<String> told = new ArrayList<>();
        spd.listen(new PolicyListener() {
            private boolean isFound(Policy policy) {
                return spd.lookup(PolicySpec.Type.MAIN, Direction.OUT, flowTo("10.0.0.1")) == policy;
            }

            @Override
            public void comes(Policy policy) {
                told.add("comes " + policy.spec().priority() + (isFound(policy) ? " late" : ""));
            }

            @Override
            public void goes(Policy policy) {
                told.add("goes " + policy.spec().priority() + (isFound(policy) ? " early" : ""));
            }

            @Override
            public void defaultChanges(Direction direction, PolicySpec.Action action) {
                told.add(action + (spd.defaultAction(direction) == action ? " late" : ""));
            }
        });
        spd.add(spec(Direction.OUT, "10.0.0.1", 32, 1), 0);
        Policy update = spd.replace(spec(Direction.OUT, "10.0.0.1", 32, 2), 0);
        spd.retarget(update, List.of());
        spd.remove(spd.lookup(PolicySpec.Type.MAIN, Direction.OUT, flowTo("10.0.0.1")));
        spd.add(spec(Direction.OUT, "10.0.0.1", 32, 3), 0);
        spd.removeAll(PolicySpec.Type.MAIN, policy -> {});
        spd.setDefaultAction(Direction.OUT, PolicySpec.Action.BLOCK);

        assertEquals(List.of("comes 1", "comes 2", "goes 1", "goes 2", "comes 3", "goes 3", "BLOCK"), told);
    }
}
