package org.xfrmbridge.datapath;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.xfrmbridge.db.SocketPolicies.LocalEndpoint;
import org.xfrmbridge.xfrm.Address;
import org.xfrmbridge.xfrm.Direction;
import org.xfrmbridge.xfrm.Encapsulation;
import org.xfrmbridge.xfrm.IpProtocol;
import org.xfrmbridge.xfrm.Mode;
import org.xfrmbridge.xfrm.PolicySpec;
import org.xfrmbridge.xfrm.Selector;
import org.xfrmbridge.xfrm.State;
import org.xfrmbridge.xfrm.StateSpecBuilder;

/** What a packet costs in lookups: one, once its flow is known. And that what is remembered is forgotten in time. */
class LookupsTest {
    private static final String A = "192.0.2.1";
    private static final String B = "192.0.2.2";
    private static final int SPI = 7;

    private final TestHost a = new TestHost(1, A, "10.1.0.1");
    private final TestHost b = new TestHost(1, B, "10.2.0.1");
    private State receiving;

    private void protect(boolean udp) {
        for (TestHost host : List.of(a, b)) {
            StateSpecBuilder spec = Sas.spec(Mode.TUNNEL, A, B, SPI);
            if (udp) {
                spec.encapsulation(new Encapsulation(Encapsulation.UDP_ENCAP_ESPINUDP, 4500, 4500, Address.ANY));
            }
            receiving = Sas.state(spec);
            host.sad.insert(receiving);
        }
        a.policy(Direction.OUT, Selector.any(2), Sas.template(Mode.TUNNEL, A, B));
        b.policy(Direction.IN, Sas.between("10.1.0.0/16", "10.2.0.0/16"), Sas.template(Mode.TUNNEL, A, B));
        if (udp) {
            LocalEndpoint at = new LocalEndpoint(2, IpProtocol.UDP, Address.ANY, 4500);
            b.sockets.setEncapsulation("test", 1, at, Encapsulation.UDP_ENCAP_ESPINUDP);
            PolicySpec bypass =
                    TestHost.spec(Direction.IN, Selector.any(2), PolicySpec.Action.ALLOW, 0, PolicySpec.Type.MAIN);
            b.sockets.setPolicy("test", 1, at, bypass, 1);
        }
    }

    private static Frames flow(int port) {
        Frames frames = Frames.udp("10.1.0.1", "10.2.0.1");
        frames.sport = port;
        return frames;
    }

    private List<byte[]> wire(int port) {
        List<byte[]> wire = new ArrayList<>();
        for (byte[] frame : a.send(flow(port).frame())) {
            wire.add(frame.clone());
        }
        assertEquals(1, wire.size());
        return wire;
    }

    private int inboundCost(int port) {
        List<byte[]> wire = wire(port);
        long before = b.stats.inbound(Metric.LOOKUPS);
        assertEquals(1, b.receive(wire).size(), b.stats::toProcText);
        return (int) (b.stats.inbound(Metric.LOOKUPS) - before);
    }

    @ParameterizedTest(name = "{1} flows, in UDP: {0}")
    @CsvSource({"false, 1", "true, 1", "false, 8", "true, 8", "false, 20", "true, 20"})
    void shouldCostOneLookupForKnownFlowsThroughAState(boolean udp, int flows) {
        protect(udp);
        for (int round = 0; round < 4; round++) {
            for (int flow = 0; flow < flows; flow++) {
                inboundCost(1000 + flow);
            }
        }
        int once = 0;
        for (int flow = 0; flow < flows; flow++) {
            long before = a.stats.outbound(Metric.LOOKUPS);
            int cost = inboundCost(1000 + flow);
            once += cost == 1 ? 1 : 0;
            assertTrue(cost <= 2);
            assertEquals(1, a.stats.outbound(Metric.LOOKUPS) - before, "outbound");
        }
        assertTrue(
                once >= flows * 3 / 4,
                once + " of " + flows + " flows cost one; slots are few, and two flows may want the same");
    }

    @Test
    void shouldReadOneOverAll() {
        protect(true);
        for (int i = 0; i < 2000; i++) {
            inboundCost(1000);
        }
        assertEquals(1.00, b.stats.lookupsPerPacket(), 0.005);
        assertEquals(1.00, a.stats.lookupsPerPacket(), 0.005);
    }

    @Test
    void shouldCostOneLookupWhereNothingIsProtected() {
        Frames frames = Frames.udp("203.0.113.1", B).inbound();
        b.receive(frames.frame());
        long before = b.stats.inbound(Metric.LOOKUPS);
        b.receive(frames.frame());
        assertEquals(1, b.stats.inbound(Metric.LOOKUPS) - before);
        assertEquals(1, b.stats.inbound(Metric.FLOW_ENTRIES));
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void shouldForgetWhenAPolicyChanges(boolean udp) {
        protect(udp);
        for (int i = 0; i < 3; i++) {
            inboundCost(1000);
        }
        b.policy(Direction.IN, Sas.between("10.1.0.0/16", "10.2.0.0/16"), PolicySpec.Action.BLOCK, 1);
        assertEquals(0, b.receive(wire(1000)).size());
        assertEquals(1, b.drops(DropReason.IN_POL_BLOCK));
    }

    /** The outer packet's policy comes before the State, remembered or not. */
    @Test
    void shouldForgetTheOuterVerdictWhenTheSocketGoesOrIsBlocked() {
        protect(true);
        for (int i = 0; i < 3; i++) {
            inboundCost(1000);
        }
        LocalEndpoint at = new LocalEndpoint(2, IpProtocol.UDP, Address.ANY, 4500);
        PolicySpec block =
                TestHost.spec(Direction.IN, Selector.any(2), PolicySpec.Action.BLOCK, 0, PolicySpec.Type.MAIN);
        b.sockets.setPolicy("test", 1, at, block, 1);
        assertEquals(0, b.receive(wire(1000)).size());
        assertEquals(1, b.drops(DropReason.IN_POL_BLOCK));
        b.sockets.close("test", 1);
        List<byte[]> wire = wire(1000);
        assertEquals(
                4500,
                Frames.view(wire.getFirst()).data()[Frames.view(wire.getFirst()).payload] << 8 & 0xff00
                        | Frames.view(wire.getFirst()).data()[Frames.view(wire.getFirst()).payload + 1] & 0xff);
        assertEquals(1, b.receive(wire).size(), "a UDP packet like any other");
        assertEquals(1, b.stats.inbound(Metric.PASSED));
    }

    @Test
    void shouldForgetWhenTheStateChanges() {
        protect(false);
        for (int i = 0; i < 3; i++) {
            inboundCost(1000);
        }
        StateSpecBuilder spec = receiving.spec().toBuilder().selector(Sas.between("10.9.0.0/16", "10.2.0.0/16"));
        b.sad.respec(receiving, spec.build());
        assertEquals(0, b.receive(wire(1000)).size());
        assertEquals(1, b.drops(DropReason.IN_STATE_MISMATCH));
    }

    /**
     * A kernel compares the template's source as an address of the inner family: of an IPv6 tunnel for IPv4 the first
     * four bytes.
     */
    @Test
    void shouldCompareTemplatesAsTheKernelDoesWhenFamiliesDiffer() {
        TestHost host = new TestHost(1, "2001:db8::2", "10.2.0.1");
        TestHost peer = new TestHost(1, "2001:db8::1");
        peer.sad.insert(Sas.state(Sas.spec(Mode.TUNNEL, "2001:db8::1", "2001:db8::2", SPI)));
        peer.policy(Direction.OUT, Selector.any(2), Sas.template(Mode.TUNNEL, "2001:db8::1", "2001:db8::2"));
        host.sad.insert(Sas.state(Sas.spec(Mode.TUNNEL, "2001:db8::1", "2001:db8::2", SPI)));
        host.policy(Direction.IN, Selector.any(2), Sas.template(Mode.TUNNEL, "2001:db8::77", "2001:db8::2"));
        assertEquals(1, host.receive(peer.send(flow(1).frame())).size());
        host.policy(Direction.IN, Selector.any(2), Sas.template(Mode.TUNNEL, "2001:db9::1", "2001:db8::2"));
        assertEquals(0, host.receive(peer.send(flow(1).frame())).size());
        assertEquals(1, host.drops(DropReason.IN_TMPL_MISMATCH));
    }
}
