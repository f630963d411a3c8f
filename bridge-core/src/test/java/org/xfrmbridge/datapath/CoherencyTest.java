package org.xfrmbridge.datapath;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.xfrmbridge.db.SocketPolicies.LocalEndpoint;
import org.xfrmbridge.net.Bytes;
import org.xfrmbridge.net.IpPacket;
import org.xfrmbridge.xfrm.Address;
import org.xfrmbridge.xfrm.AddressFamily;
import org.xfrmbridge.xfrm.Direction;
import org.xfrmbridge.xfrm.IpProtocol;
import org.xfrmbridge.xfrm.Mark;
import org.xfrmbridge.xfrm.Mode;
import org.xfrmbridge.xfrm.Policy;
import org.xfrmbridge.xfrm.PolicySpec;
import org.xfrmbridge.xfrm.PolicySpecBuilder;
import org.xfrmbridge.xfrm.Selector;
import org.xfrmbridge.xfrm.State;
import org.xfrmbridge.xfrm.StateSpecBuilder;
import org.xfrmbridge.xfrm.Template;
import org.xfrmbridge.xfrm.Usage;

/**
 * Coherency by generations alone: a change walks over nothing, and a flow is resolved again by its own next packet if
 * the change may concern it. Lookups and bundles made are counted, so that both show.
 */
class CoherencyTest {
    private static final String NEAR = "192.0.2.1";
    private static final int FLOWS = 500;
    private static final Selector ALL = Selector.any(AddressFamily.INET);

    private final TestHost host = new TestHost(NEAR, "10.1.0.1");

    private static String gateway(int number) {
        return "198.51.100." + (1 + number);
    }

    /** One of many flows to the network behind one of two gateways. */
    private static byte[] frame(int gateway, int flow) {
        Frames frames = Frames.udp("10.1.0.1", "10." + (2 + gateway) + ".0.1");
        frames.sport = 1000 + flow;
        return frames.frame();
    }

    private State tunnel(int gateway, int spi) {
        State state = Sas.state(Sas.spec(Mode.TUNNEL, NEAR, gateway(gateway), spi));
        host.sad.insert(state);
        return state;
    }

    private void protect(int gateway) {
        Selector network = Sas.between("10.1.0.0/16", "10." + (2 + gateway) + ".0.0/16");
        host.policy(Direction.OUT, network, Sas.template(Mode.TUNNEL, NEAR, gateway(gateway)));
    }

    private int spiOfNext(int gateway, int flow) {
        List<byte[]> sent = host.send(frame(gateway, flow));
        assertEquals(1, sent.size(), host.stats::toProcText);
        IpPacket outer = Frames.view(sent.getFirst());
        return Bytes.i32(outer.data(), outer.payload);
    }

    private long lookups() {
        return host.stats.outbound(Metric.LOOKUPS);
    }

    private long bundles() {
        return host.stats.outbound(Metric.BUNDLES_MADE);
    }

    private void send(int gateway) {
        for (int flow = 0; flow < FLOWS; flow++) {
            spiOfNext(gateway, flow);
        }
    }

    @Test
    void shouldResolveAgainOnlyFlowsThatAnAddedStateMayConcernAndOnlyWithTheirNextPacket() {
        for (int gateway = 0; gateway < 2; gateway++) {
            protect(gateway);
            tunnel(gateway, 7);
        }
        send(0);
        send(1);
        assertEquals(2 * FLOWS, bundles());

        tunnel(0, 8);

        assertEquals(2 * FLOWS, bundles(), "nothing is walked");
        long before = lookups();
        send(1);
        assertEquals(FLOWS, lookups() - before, "the other gateway's flows do not notice");
        assertEquals(8, spiOfNext(0, 3));
        assertEquals(2 * FLOWS + 1, bundles(), "each flow with its own packet");
        assertEquals(8, spiOfNext(0, 3));
        assertEquals(2 * FLOWS + 1, bundles());
    }

    @Test
    void shouldRebuildFromTheStateThatIsLeftWhenOneIsDeletedAndElseAsk() {
        protect(0);
        State first = tunnel(0, 7);
        State second = tunnel(0, 8);
        send(0);
        host.sad.remove(second);
        assertEquals(FLOWS, bundles(), "nothing is walked");
        assertEquals(7, spiOfNext(0, 3));
        assertEquals(FLOWS + 1, bundles());
        host.sad.remove(first);
        assertEquals(List.of(), host.told);
        assertEquals(0, host.send(frame(0, 3)).size());
        assertEquals(List.of("acquire " + gateway(0) + " " + NEAR), host.told);
    }

    @Test
    void shouldAskAgainForEachLarvalStateThatGoes() {
        host.policy(
                Direction.OUT,
                ALL,
                Sas.template(Mode.TUNNEL, NEAR, gateway(0), 1, true),
                Sas.template(Mode.TUNNEL, NEAR, gateway(1), 2, false));
        State first = larval(0, 1, Mark.NONE);
        larval(0, 1, new Mark(1, -1));
        larval(1, 2, Mark.NONE);
        assertEquals(0, host.send(frame(0, 0)).size());
        assertEquals(List.of(), host.told);
        host.sad.remove(first);
        assertEquals(0, host.send(frame(0, 0)).size());
        assertEquals(List.of("acquire " + gateway(0) + " " + NEAR), host.told);
    }

    private State larval(int gateway, int reqid, Mark mark) {
        StateSpecBuilder spec =
                Sas.spec(Mode.TUNNEL, NEAR, gateway(gateway), 0).reqid(reqid).mark(mark);
        State state = new State(spec.build(), State.Phase.ACQUIRING, new Usage(1));
        host.sad.insert(state);
        return state;
    }

    @Test
    void shouldCostOneLookupWhenASocketsPolicyDecides() {
        host.policy(Direction.OUT, ALL, PolicySpec.Action.BLOCK, 1);
        LocalEndpoint at = new LocalEndpoint(AddressFamily.INET, IpProtocol.UDP, Address.ANY, 1000);
        PolicySpec own = TestHost.spec(
                Direction.OUT,
                ALL,
                PolicySpec.Action.ALLOW,
                0,
                PolicySpec.Type.MAIN,
                Sas.template(Mode.TUNNEL, NEAR, gateway(0)));
        host.sockets.setPolicy("test", 1, at, own, 1);
        tunnel(0, 7);
        assertEquals(7, spiOfNext(0, 0));
        long before = lookups();
        assertEquals(7, spiOfNext(0, 0));
        assertEquals(1, lookups() - before);
        host.sockets.close("test", 1);
        assertEquals(0, host.send(frame(0, 0)).size());
    }

    @Test
    void shouldCostOneLookupWhenASubPolicyAndAMainOneBothProtect() {
        String outer = "203.0.113.9";
        host.spd.add(
                TestHost.spec(
                        Direction.OUT,
                        ALL,
                        PolicySpec.Action.ALLOW,
                        1,
                        PolicySpec.Type.SUB,
                        Sas.template(Mode.TUNNEL, NEAR, gateway(0), 1, false)),
                1);
        host.policy(Direction.OUT, ALL, Sas.template(Mode.TUNNEL, NEAR, outer, 2, false));
        tunnel(0, 7);
        StateSpecBuilder spec = Sas.spec(Mode.TUNNEL, NEAR, outer, 9).reqid(2);
        host.sad.insert(Sas.state(spec));
        assertEquals(9, spiOfNext(0, 0), "the main policy's State is around the sub-policy's");
        long before = lookups();
        assertEquals(9, spiOfNext(0, 0));
        assertEquals(1, lookups() - before);
        assertEquals(1, bundles());
    }

    private static PolicySpecBuilder change(Direction direction, Selector selector, int priority) {
        return PolicySpec.builder()
                .direction(direction)
                .selector(selector)
                .priority(priority)
                .action(PolicySpec.Action.BLOCK);
    }

    private static Selector port(int dport) {
        return Selector.of(AddressFamily.INET)
                .dport(dport)
                .protocol(IpProtocol.UDP)
                .build();
    }

    /** Policies that come and go, and are for no packet of {@link #frame}. */
    static List<PolicySpecBuilder> strangers() {
        Selector near = Sas.between("10.1.0.0/16", "10.2.0.0/16");
        PolicySpecBuilder marked = change(Direction.OUT, near, 0).mark(new Mark(1, 1));
        return List.of(
                change(Direction.OUT, Sas.between("10.1.0.1/32", "10.2.0.2/32"), 0),
                change(Direction.OUT, Sas.between("10.1.0.0/24", "10.2.1.0/24"), 0),
                change(Direction.OUT, Sas.between("10.1.0.0/16", "10.3.0.0/16"), 0),
                change(Direction.OUT, port(9999), 0),
                change(Direction.IN, near, 0),
                change(Direction.FWD, near, 0),
                change(Direction.OUT, Sas.between("10.1.0.0/16", "10.2.0.0/17"), 1001),
                marked,
                change(Direction.OUT, near, 0).ifId(1));
    }

    @ParameterizedTest
    @MethodSource("strangers")
    void shouldCostNoLookupWhenPoliciesOfOtherFlowsComeChangeAndGo(PolicySpecBuilder stranger) {
        protect(0);
        tunnel(0, 7);
        send(0);
        long before = lookups();
        Policy policy = null;
        for (int flow = 0; flow < FLOWS; flow++) {
            switch (flow % 3) {
                case 0 -> policy = host.spd.add(stranger.build(), 1);
                case 1 -> policy = host.spd.replace(stranger.build(), 1);
                default -> host.spd.remove(policy);
            }
            // A flow that saw each change, one that saw none of the last ones.
            assertEquals(7, spiOfNext(0, 0));
            assertEquals(7, spiOfNext(0, flow % 6 + 1));
        }
        assertEquals(2 * FLOWS, lookups() - before);
        assertEquals(FLOWS, bundles());
    }

    /** The other half: each of them would be for packets if it had one thing different. */
    static List<PolicySpecBuilder> rulers() {
        return List.of(
                change(Direction.OUT, Sas.between("10.1.0.1/32", "10.2.0.1/32"), 999),
                change(Direction.OUT, Sas.between("10.1.0.0/24", "10.2.0.0/24"), 999),
                change(Direction.OUT, Sas.between("10.1.0.0/15", "10.2.0.0/16"), 999),
                change(Direction.OUT, port(2222), 0),
                change(Direction.OUT, Sas.between("10.1.0.0/16", "10.2.0.0/16"), 2000)
                        .type(PolicySpec.Type.SUB));
    }

    @ParameterizedTest
    @MethodSource("rulers")
    void shouldObeyThePolicyThatComesAndTheOldOneWhenItGoes(PolicySpecBuilder ruler) {
        protect(0);
        tunnel(0, 7);
        send(0);
        Policy policy = host.spd.add(ruler.build(), 1);
        assertEquals(0, host.send(frame(0, 3)).size());
        host.spd.remove(policy);
        assertEquals(7, spiOfNext(0, 3));
        assertEquals(7, spiOfNext(0, 4), "which never saw it");
        host.spd.add(ruler.build(), 1);
        strangers().forEach(stranger -> host.spd.add(stranger.build(), 1));
        for (int i = 0; i < 100; i++) {
            host.spd.replace(strangers().get(i % 3).build(), 1);
        }
        assertEquals(0, host.send(frame(0, 3)).size(), "however much has changed since");
    }

    /**
     * Of equal priorities the older wins, but within a list of a kernel an updated policy hides those behind its old
     * position: when it goes, one of them rules, though neither it nor the policy that did has changed.
     */
    @Test
    void shouldNoticeWhenAnUpdatedPolicyGoesThatHidAnOlderOne() {
        Selector wide = Sas.between("10.1.0.0/16", "10.2.0.0/16");
        tunnel(0, 7);
        protect(0);
        host.policy(Direction.OUT, Sas.between("10.1.0.0/17", "10.2.0.0/17"), PolicySpec.Action.BLOCK, 1000);
        host.policy(
                Direction.OUT, Sas.between("0.0.0.0/0", "10.2.0.0/16"), Sas.template(Mode.TUNNEL, NEAR, gateway(0)));
        assertEquals(7, spiOfNext(0, 3));
        Policy updated = host.policy(Direction.OUT, wide, PolicySpec.Action.BLOCK, 1000);
        assertEquals(7, spiOfNext(0, 3), "by the third, which is older than the first now");
        host.spd.remove(updated);
        assertEquals(0, host.send(frame(0, 3)).size(), "by the second, which is older than the third");
    }

    @Test
    void shouldAskAgainWhenMoreHasComeThanIsWorthComparing() {
        protect(0);
        tunnel(0, 7);
        send(0);
        long before = lookups();
        for (int i = 0; i < 1000; i++) {
            host.spd.replace(change(Direction.OUT, port(10_000 + i), 0).build(), 1);
        }
        assertEquals(7, spiOfNext(0, 3));
        assertTrue(lookups() - before > 1);
        assertEquals(7, spiOfNext(0, 3));
        assertEquals(FLOWS + 1, bundles());
    }

    @Test
    void shouldCostNoLookupWhenSocketsOfOtherPortsChange() {
        protect(0);
        tunnel(0, 7);
        send(0);
        long before = lookups();
        PolicySpec block = TestHost.spec(Direction.OUT, ALL, PolicySpec.Action.BLOCK, 0, PolicySpec.Type.MAIN);
        for (int i = 0; i < FLOWS; i++) {
            host.sockets.setPolicy(
                    "test", i, new LocalEndpoint(AddressFamily.INET, IpProtocol.UDP, Address.ANY, 5000 + i), block, 1);
            assertEquals(7, spiOfNext(0, 3));
        }
        assertEquals(FLOWS, lookups() - before);
        host.sockets.move("test", 0, new LocalEndpoint(AddressFamily.INET, IpProtocol.UDP, Address.ANY, 1003));
        assertEquals(0, host.send(frame(0, 3)).size());
        host.sockets.closeAll("test");
        assertEquals(7, spiOfNext(0, 3));
    }

    @Test
    void shouldCostNoLookupWhenStatesOfOtherPairsAndRequestsComeAndGo() {
        protect(0);
        tunnel(0, 7);
        send(0);
        long before = lookups();
        for (int i = 0; i < 20_000; i++) {
            StateSpecBuilder spec = Sas.spec(
                    Mode.TUNNEL, NEAR, i % 2 == 0 ? gateway(0) : "10.77." + (i >> 8) + '.' + (i & 0xff), 100 + i);
            spec.reqid(i % 2 == 0 ? 4711 : spec.reqid());
            State state = Sas.state(spec);
            host.sad.insert(state);
            host.sad.remove(state);
        }
        send(0);
        assertEquals(FLOWS, lookups() - before);
        assertEquals(FLOWS, bundles());
    }

    /** Once with what a State remembers, once with the flow cache alone. */
    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void shouldCostNoLookupInboundWhenPoliciesOfOtherFlowsComeAndGo(boolean isProtected) {
        TestHost peer = new TestHost(gateway(0), "10.2.0.1");
        Template template = Sas.template(Mode.TUNNEL, NEAR, gateway(0));
        Selector network = Sas.between("10.1.0.0/16", "10.2.0.0/16");
        if (isProtected) {
            protect(0);
            tunnel(0, 7);
            peer.sad.insert(Sas.state(Sas.spec(Mode.TUNNEL, NEAR, gateway(0), 7)));
            peer.policy(Direction.IN, network, template);
        } else {
            peer.policy(Direction.IN, network);
        }
        assertEquals(1, peer.receive(host.send(frame(0, 1))).size(), peer.stats::toProcText);
        assertEquals(1, peer.receive(host.send(frame(0, 1))).size());
        long before = peer.stats.inbound(Metric.LOOKUPS);
        for (int i = 0; i < 200; i++) {
            peer.policy(
                    Direction.IN, Sas.between("10.1.0.0/16", "10." + (50 + i) + ".0.0/16"), PolicySpec.Action.BLOCK, 0);
            peer.policy(Direction.OUT, network, PolicySpec.Action.BLOCK, 0);
            assertEquals(1, peer.receive(host.send(frame(0, 1))).size());
        }
        assertEquals(200, peer.stats.inbound(Metric.LOOKUPS) - before);
        peer.policy(Direction.IN, Sas.between("10.1.0.1/32", "10.2.0.1/32"), PolicySpec.Action.BLOCK, 0);
        assertEquals(0, peer.receive(host.send(frame(0, 1))).size());
        assertEquals(1, peer.drops(DropReason.IN_POL_BLOCK));
    }

    /** A gateway's: packets to be forwarded. Behind a sub-policy of dir fwd the kernel asks dir in. */
    @Test
    void shouldNoticePoliciesOfDirInBehindASubPolicyOfDirFwd() {
        host.spd.add(TestHost.spec(Direction.FWD, ALL, PolicySpec.Action.ALLOW, 1, PolicySpec.Type.SUB), 1);
        byte[] frame = Frames.udp("203.0.113.1", "10.9.0.1").inbound().frame();
        assertEquals(1, host.receive(frame.clone()).size(), host.stats::toProcText);
        long before = host.stats.inbound(Metric.LOOKUPS);
        host.policy(Direction.OUT, ALL, PolicySpec.Action.BLOCK, 1);
        host.policy(Direction.FWD, Sas.between("203.0.113.2/32", "10.9.0.1/32"), PolicySpec.Action.BLOCK, 1);
        assertEquals(1, host.receive(frame.clone()).size());
        assertEquals(1, host.stats.inbound(Metric.LOOKUPS) - before);
        host.policy(Direction.IN, ALL, PolicySpec.Action.BLOCK, 1);
        assertEquals(0, host.receive(frame.clone()).size());
    }
}
