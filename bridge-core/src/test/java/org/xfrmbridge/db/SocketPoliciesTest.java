package org.xfrmbridge.db;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.xfrmbridge.db.SocketPolicies.LocalEndpoint;
import org.xfrmbridge.xfrm.Address;
import org.xfrmbridge.xfrm.AddressFamily;
import org.xfrmbridge.xfrm.Direction;
import org.xfrmbridge.xfrm.Flow;
import org.xfrmbridge.xfrm.IpProtocol;
import org.xfrmbridge.xfrm.Policy;
import org.xfrmbridge.xfrm.PolicySpec;
import org.xfrmbridge.xfrm.Selector;
import org.xfrmbridge.xfrm.StateId;
import org.xfrmbridge.xfrm.Template;

class SocketPoliciesTest {
    private static final int INET = AddressFamily.INET;
    private static final int INET6 = AddressFamily.INET6;
    private static final Object CHARON = "a connection";
    private static final Address HERE = Address.parse("192.0.2.1");

    private Runnable beforeRemoval = () -> {};
    private final Databases databases = new Databases(() -> beforeRemoval.run());
    private final Spd spd = databases.spd();
    private final SocketPolicies sockets = databases.sockets();

    private static LocalEndpoint at(int family, String address, int port) {
        return new LocalEndpoint(family, IpProtocol.UDP, Address.parse(address), port);
    }

    private static PolicySpec bypass(Direction direction, int family) {
        return PolicySpec.builder()
                .selector(Selector.any(family))
                .direction(direction)
                .build();
    }

    private static Flow flow(Address saddr, int sport, Address daddr, int dport) {
        Flow flow = new Flow();
        flow.family = INET;
        flow.protocol = IpProtocol.UDP;
        flow.saddrHigh = saddr.high();
        flow.daddrHigh = daddr.high();
        flow.sport = sport;
        flow.dport = dport;
        return flow;
    }

    private static PolicySpec esp(Direction direction, int family) {
        Template template = Template.builder()
                .id(new StateId(Address.ANY, 0, IpProtocol.ESP))
                .family(family)
                .reqid(5)
                .build();
        return bypass(direction, family).withTemplates(List.of(template));
    }

    private Policy lookup(Direction direction) {
        Address there = Address.parse("198.51.100.1");
        return direction == Direction.IN
                ? sockets.lookup(direction, flow(there, 9, HERE, 500))
                : sockets.lookup(direction, flow(HERE, 500, there, 9));
    }

    /** As charon 6 does: an INET6 socket beside the other, for its own family only. */
    @Test
    void shouldPreferTheSocketOfThePacketsFamilyWhenBothAreBoundToAny() {
        Policy in = sockets.setPolicy(CHARON, 1, at(INET, "0.0.0.0", 500), bypass(Direction.IN, INET), 0);
        sockets.setEncapsulation(CHARON, 1, at(INET, "0.0.0.0", 500), 1);
        sockets.setPolicy(CHARON, 2, at(INET6, "::", 500), bypass(Direction.IN, INET6), 0);
        sockets.setEncapsulation(CHARON, 2, at(INET6, "::", 500), 2);

        assertSame(in, lookup(Direction.IN));
        assertEquals(1, sockets.encapsulationType(INET, HERE.high(), HERE.low(), 500));
        assertEquals(2, sockets.encapsulationType(INET6, 1, 1, 500));
    }

    @Test
    void shouldFindThePolicyOfEachDirectionByLocalPort() {
        Policy in = sockets.setPolicy(CHARON, 1, at(INET, "0.0.0.0", 500), bypass(Direction.IN, INET), 0);
        Policy out = sockets.setPolicy(CHARON, 1, at(INET, "0.0.0.0", 500), bypass(Direction.OUT, INET), 0);
        assertSame(in, lookup(Direction.IN));
        assertSame(out, lookup(Direction.OUT));
        assertNull(lookup(Direction.FWD));
        assertNull(sockets.lookup(Direction.IN, flow(HERE, 500, HERE, 501)));
        assertEquals(3, in.spec().index() & 7);
        assertEquals(4, out.spec().index() & 7);
        assertEquals(1, spd.socketCount(Direction.OUT));
    }

    @Test
    void shouldPreferTheSocketBoundToTheAddress() {
        Policy bound = sockets.setPolicy(CHARON, 1, at(INET, "192.0.2.1", 500), bypass(Direction.IN, INET), 0);
        sockets.setPolicy(CHARON, 2, at(INET, "0.0.0.0", 500), bypass(Direction.IN, INET), 0);
        sockets.setPolicy(CHARON, 3, at(INET, "192.0.2.9", 500), bypass(Direction.IN, INET), 0);
        assertSame(bound, lookup(Direction.IN));
    }

    @Test
    void shouldFollowASocketThatIsBoundAfterItsPolicyWasSet() {
        Policy policy = sockets.setPolicy(CHARON, 1, at(INET, "0.0.0.0", 0), bypass(Direction.IN, INET), 0);
        assertNull(lookup(Direction.IN));
        int generation = sockets.generation();
        sockets.move(CHARON, 1, at(INET, "192.0.2.1", 500));
        assertSame(policy, lookup(Direction.IN));
        assertNotEquals(generation, sockets.generation());
    }

    @Test
    void shouldReplaceThePolicyOfTheSameDirection() {
        Policy old = sockets.setPolicy(CHARON, 1, at(INET, "0.0.0.0", 500), bypass(Direction.IN, INET), 0);
        Policy policy = sockets.setPolicy(CHARON, 1, at(INET, "0.0.0.0", 500), bypass(Direction.IN, INET), 0);
        assertSame(policy, lookup(Direction.IN));
        assertTrue(old.isDead());
        assertEquals(1, spd.socketCount(Direction.IN));
        sockets.clearPolicies(CHARON, 1);
        assertNull(lookup(Direction.IN));
        assertTrue(policy.isDead());
    }

    /** Which of them sends cannot be told. */
    @Test
    void shouldTakeTheStricterPolicyOfSocketsThatShareAPort() {
        Policy esp = sockets.setPolicy(CHARON, 1, at(INET, "0.0.0.0", 500), esp(Direction.OUT, INET), 0);
        sockets.setPolicy(CHARON, 2, at(INET, "0.0.0.0", 500), bypass(Direction.OUT, INET), 0);
        sockets.setPolicy(CHARON, 3, at(INET, "0.0.0.0", 500), bypass(Direction.IN, INET), 0);
        assertSame(esp, lookup(Direction.OUT));
    }

    /** One bound to any address sends from each, from whichever another is bound to. */
    @Test
    void shouldProtectWhatASocketBoundToAnyMayHaveSentFromAnAddressThatAnotherIsBoundTo() {
        sockets.setPolicy(CHARON, 1, at(INET, "192.0.2.1", 500), bypass(Direction.OUT, INET), 0);
        Policy in = sockets.setPolicy(CHARON, 1, at(INET, "192.0.2.1", 500), bypass(Direction.IN, INET), 0);
        sockets.setPolicy(CHARON, 2, at(INET, "0.0.0.0", 500), bypass(Direction.OUT, INET), 0);
        Policy esp = sockets.setPolicy(CHARON, 3, at(INET6, "::", 500), esp(Direction.OUT, INET), 0);
        sockets.setPolicy(CHARON, 3, at(INET6, "::", 500), esp(Direction.IN, INET), 0);
        assertSame(esp, lookup(Direction.OUT));
        assertSame(in, lookup(Direction.IN), "the kernel gives it to the one that is bound best");
    }

    @Test
    void shouldKnowSocketsWithoutPortsByTheirAddresses() {
        LocalEndpoint at = new LocalEndpoint(INET, IpProtocol.ICMP, HERE, 1);
        Policy policy = sockets.setPolicy(CHARON, 1, at, esp(Direction.OUT, INET), 0);
        Flow echo = flow(HERE, 8, Address.parse("198.51.100.1"), 0);
        echo.protocol = IpProtocol.ICMP;
        assertSame(policy, sockets.lookup(Direction.OUT, echo));
        echo.saddrHigh = Address.parse("192.0.2.2").high();
        assertNull(sockets.lookup(Direction.OUT, echo));
    }

    @Test
    void shouldAskWhoseAFlowIsWhenSocketsFloat() {
        assertFalse(sockets.mayFloat(IpProtocol.UDP));
        Policy unbound = sockets.setPolicy(CHARON, 1, at(INET, "0.0.0.0", 0), esp(Direction.OUT, INET), 0);
        Flow flow = flow(HERE, 40000, Address.parse("198.51.100.1"), 53);
        assertTrue(sockets.mayFloat(IpProtocol.UDP));
        assertFalse(sockets.mayFloat(IpProtocol.TCP));
        assertSame(unbound, sockets.lookupFloating(Direction.OUT, flow, 1));
        assertNull(sockets.lookupFloating(Direction.OUT, flow, 2), "another socket's");
        assertNull(sockets.lookupFloating(Direction.OUT, flow, 0), "nobody's, and the one that floats is held");
        assertSame(unbound, sockets.lookupFloating(Direction.OUT, flow), "unknown");
        sockets.setHeld(CHARON, 1, false);
        assertSame(unbound, sockets.lookupFloating(Direction.OUT, flow, 0), "nobody's any more");
        sockets.move(CHARON, 1, at(INET, "0.0.0.0", 40000));
        assertFalse(sockets.mayFloat(IpProtocol.UDP));
        assertSame(unbound, sockets.lookup(Direction.OUT, flow));
        Policy raw = sockets.setPolicy(
                CHARON, 2, at(INET, "0.0.0.0", SocketPolicies.EVERY_PORT), esp(Direction.OUT, INET), 0);
        assertSame(raw, sockets.lookupFloating(Direction.OUT, flow(HERE, 9, HERE, 9), 0));
        assertNull(sockets.lookupFloating(Direction.OUT, flow(HERE, 9, HERE, 9), 7));
        sockets.close(CHARON, 2);
        assertFalse(sockets.mayFloat(IpProtocol.UDP));
    }

    /** {@code __xfrm_sk_clone_policy}. */
    @Test
    void shouldLeaveWhatWasAcceptedItsPolicies() {
        Address there = Address.parse("198.51.100.1");
        LocalEndpoint at = new LocalEndpoint(INET, IpProtocol.TCP, Address.ANY, 500);
        sockets.setPolicy(CHARON, 1, at, esp(Direction.OUT, INET), 0);
        sockets.inherit(CHARON, 1, 2, TcpConnection.of(INET, HERE, there, 9), 0);
        sockets.close(CHARON, 1);
        Flow own = flow(HERE, 500, there, 9);
        own.protocol = IpProtocol.TCP;
        Policy inherited = sockets.lookup(Direction.OUT, own);
        assertEquals(
                IpProtocol.ESP, inherited.spec().templates().getFirst().id().protocol());
        Flow other = flow(HERE, 500, there, 10);
        other.protocol = IpProtocol.TCP;
        assertNull(sockets.lookup(Direction.OUT, other));
        assertEquals(1, spd.socketCount(Direction.OUT));
        sockets.clearPolicies(CHARON, 2);
        sockets.setPolicy(CHARON, 1, at, esp(Direction.OUT, INET), 0);
        assertNull(sockets.lookup(Direction.OUT, own), "it has none, whatever its port has");
        sockets.move(CHARON, 2, at);
        assertNotNull(sockets.lookup(Direction.OUT, own), "about to be connected to another peer");
    }

    @Test
    void shouldJudgeWhatWaitsBeforeAPolicyLeaves() {
        AtomicInteger settled = new AtomicInteger();
        sockets.setPolicy(CHARON, 1, at(INET, "0.0.0.0", 500), esp(Direction.OUT, INET), 0);
        beforeRemoval = () -> {
            settled.incrementAndGet();
            assertNotNull(lookup(Direction.OUT));
        };
        sockets.setPolicy(CHARON, 1, at(INET, "0.0.0.0", 500), esp(Direction.OUT, INET), 0);
        assertEquals(1, settled.get());
        sockets.move(CHARON, 1, at(INET, "0.0.0.0", 501));
        assertEquals(2, settled.get());
        sockets.move(CHARON, 1, at(INET, "0.0.0.0", 501));
        sockets.setPolicy(CHARON, 2, at(INET, "0.0.0.0", 500), esp(Direction.OUT, INET), 0);
        assertEquals(2, settled.get());
        sockets.clearPolicies(CHARON, 2);
        assertEquals(3, settled.get());
    }

    /** {@code xfrm_sk_policy_lookup} compares the policy's family with the packet's, whatever the socket's is. */
    @Test
    void shouldProtectIpv4PacketsOfDualStackSocketsWithAPolicyOfThatFamily() {
        for (String address : List.of("::", "::ffff:192.0.2.1", "::ffff:0.0.0.0")) {
            LocalEndpoint at = new LocalEndpoint(INET6, IpProtocol.UDP, Address.parse(address, INET6), 500);
            Policy policy = sockets.setPolicy(CHARON, 1, at, esp(Direction.OUT, INET), 0);
            assertSame(policy, lookup(Direction.OUT), address);
            assertNull(lookup(Direction.IN));
        }
    }

    @Test
    void shouldForgetAllOfAConnectionWhenItEnds() {
        sockets.setPolicy(CHARON, 1, at(INET, "0.0.0.0", 500), bypass(Direction.IN, INET), 0);
        sockets.setEncapsulation(CHARON, 2, at(INET, "0.0.0.0", 4500), 2);
        Policy other = sockets.setPolicy("another", 1, at(INET, "0.0.0.0", 500), bypass(Direction.IN, INET), 0);
        sockets.closeAll(CHARON);
        assertSame(other, lookup(Direction.IN));
        assertEquals(0, sockets.encapsulationType(INET, HERE.high(), 0, 4500));
        sockets.close("another", 1);
        assertNull(lookup(Direction.IN));
        assertEquals(0, spd.socketCount(Direction.IN));
    }

    @Test
    void shouldGiveNoIpv4PacketsToSocketsForIpv6Only() {
        LocalEndpoint at = new LocalEndpoint(INET6, IpProtocol.UDP, Address.ANY, 4500, SocketPolicies.Families.OWN);
        sockets.setEncapsulation(CHARON, 1, at, 2);
        sockets.setPolicy(CHARON, 1, at, bypass(Direction.IN, INET), 0);
        assertEquals(2, sockets.encapsulationType(INET6, 1, 2, 4500));
        assertEquals(0, sockets.encapsulationType(INET, HERE.high(), 0, 4500));
        assertNull(sockets.lookup(Direction.IN, flow(HERE, 1, HERE, 4500)));
    }

    @Test
    void shouldGiveIpv4PacketsToDualStackSocketsButNotTheirPolicies() {
        sockets.setEncapsulation(CHARON, 1, at(INET6, "::", 4500), 2);
        sockets.setPolicy(CHARON, 1, at(INET6, "::", 4500), bypass(Direction.IN, INET6), 0);
        assertEquals(2, sockets.encapsulationType(INET, HERE.high(), 0, 4500));
        assertEquals(2, sockets.encapsulationType(INET6, 1, 2, 4500));
        assertNull(sockets.lookup(Direction.IN, flow(HERE, 1, HERE, 4500)));
        sockets.move(CHARON, 1, new LocalEndpoint(INET6, IpProtocol.UDP, new Address(0, 0xffffc0000201L), 4500));
        assertEquals(2, sockets.encapsulationType(INET, HERE.high(), 0, 4500));
        assertEquals(
                0, sockets.encapsulationType(INET, Address.parse("192.0.2.2").high(), 0, 4500));
        assertEquals(0, sockets.encapsulationType(INET6, 1, 2, 4500));
    }

    @Test
    void shouldTellOfASocketBeforeItIsFoundAndWhenItIsNoMore() {
        List<String> told = new ArrayList<>();
        sockets.listen(new SocketListener() {
            private boolean isFound(LocalEndpoint at, Policy policy) {
                Flow flow = flow(Address.parse("198.51.100.1"), 9, HERE, at.port());
                return policy != null && sockets.lookup(Direction.IN, flow) == policy;
            }

            @Override
            public void comes(LocalEndpoint at, Policy in, Policy out, int encapsulationType) {
                told.add("comes " + at.port() + (isFound(at, in) ? " late" : ""));
            }

            @Override
            public void goes(LocalEndpoint at, Policy in, Policy out, int encapsulationType) {
                told.add("goes " + at.port() + (isFound(at, in) ? " early" : ""));
            }
        });
        sockets.setPolicy(CHARON, 1, at(INET, "0.0.0.0", 500), esp(Direction.IN, INET), 0);
        sockets.move(CHARON, 1, at(INET, "0.0.0.0", 501));
        sockets.close(CHARON, 1);

        assertEquals(List.of("comes 500", "comes 501", "goes 500", "goes 501"), told);
    }
}
