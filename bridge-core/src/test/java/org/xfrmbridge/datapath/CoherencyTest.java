package org.xfrmbridge.datapath;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.xfrmbridge.db.SocketPolicies.LocalEndpoint;
import org.xfrmbridge.net.Bytes;
import org.xfrmbridge.net.IpPacket;
import org.xfrmbridge.xfrm.Address;
import org.xfrmbridge.xfrm.AddressFamily;
import org.xfrmbridge.xfrm.Direction;
import org.xfrmbridge.xfrm.IpProtocol;
import org.xfrmbridge.xfrm.Mode;
import org.xfrmbridge.xfrm.PolicySpec;
import org.xfrmbridge.xfrm.Selector;
import org.xfrmbridge.xfrm.State;
import org.xfrmbridge.xfrm.StateSpec;

/**
 * Coherency by generations alone: a change walks over nothing, and a flow is resolved again by its own next packet if the change may concern
 * it. Lookups and bundles made are counted, so that both show.
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
        // After all policies are there: each of those has every flow asked again.
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
    void shouldCostOneLookupWhenASocketsPolicyDecides() {
        host.policy(Direction.OUT, ALL, PolicySpec.Action.BLOCK, 1);
        LocalEndpoint at = new LocalEndpoint(AddressFamily.INET, IpProtocol.UDP, Address.ANY, 1000);
        PolicySpec own = TestHost.spec(
                Direction.OUT, ALL, PolicySpec.Action.ALLOW, 0, PolicySpec.Type.MAIN, Sas.template(Mode.TUNNEL, NEAR, gateway(0)));
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
                        Direction.OUT, ALL, PolicySpec.Action.ALLOW, 1, PolicySpec.Type.SUB, Sas.template(Mode.TUNNEL, NEAR, gateway(0), 1, false)),
                1);
        host.policy(Direction.OUT, ALL, Sas.template(Mode.TUNNEL, NEAR, outer, 2, false));
        tunnel(0, 7);
        StateSpec.Builder spec = Sas.spec(Mode.TUNNEL, NEAR, outer, 9);
        spec.reqid = 2;
        host.sad.insert(Sas.state(spec));
        assertEquals(9, spiOfNext(0, 0), "the main policy's State is around the sub-policy's");
        long before = lookups();
        assertEquals(9, spiOfNext(0, 0));
        assertEquals(1, lookups() - before);
        assertEquals(1, bundles());
    }
}
