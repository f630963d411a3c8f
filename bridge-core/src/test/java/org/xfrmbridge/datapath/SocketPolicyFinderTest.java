package org.xfrmbridge.datapath;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.xfrmbridge.db.SocketPolicies.LocalEndpoint;
import org.xfrmbridge.io.HostNetwork;
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

class SocketPolicyFinderTest {
    private static final int INET = AddressFamily.INET;
    private static final int ROUTER_SOLICITATION = 133;

    private final TestHost host = new TestHost("192.0.2.1");
    private final SocketPolicyFinder finder = new SocketPolicyFinder(host.context());

    private static PolicySpec spec(int family, boolean protects) {
        Template esp = Template.builder()
                .id(new StateId(Address.ANY, 0, IpProtocol.ESP))
                .family(family)
                .reqid(5)
                .build();
        return PolicySpec.builder()
                .selector(Selector.any(family))
                .templates(protects ? List.of(esp) : List.of())
                .build();
    }

    private Policy set(int family, int protocol, int port, boolean protects) {
        return host.sockets.setPolicy(
                this, port, new LocalEndpoint(family, protocol, Address.ANY, port), spec(family, protects), 0);
    }

    private static Flow flow(int protocol, String from, int sport) {
        Flow flow = new Flow();
        flow.family = from.indexOf(':') >= 0 ? AddressFamily.INET6 : INET;
        flow.protocol = protocol;
        flow.saddrHigh = Address.parse(from).high();
        flow.saddrLow = Address.parse(from).low();
        flow.sport = sport;
        flow.dport = 500;
        return flow;
    }

    /**
     * An IKE daemon's sockets have such policies: what comes from hosts behind a gateway, from the same port, must not
     * leave by them.
     */
    @Test
    void shouldLetNoForwardedPacketPassByAPolicyOfAnOwnPort() {
        Policy bypass = set(INET, IpProtocol.UDP, 500, false);
        assertSame(bypass, finder.find(Direction.OUT, flow(IpProtocol.UDP, "192.0.2.1", 500)));
        assertNull(finder.find(Direction.OUT, flow(IpProtocol.UDP, "10.1.0.1", 500)));
    }

    @Test
    void shouldProtectFromAnAddressThatTheKernelKnowsAlready() {
        Policy esp = set(INET, IpProtocol.UDP, 7000, true);
        assertNull(finder.find(Direction.OUT, flow(IpProtocol.UDP, "192.0.2.9", 7000)));
        host.network.setLocalNow("192.0.2.9");
        assertSame(esp, finder.find(Direction.OUT, flow(IpProtocol.UDP, "192.0.2.9", 7000)));
    }

    @Test
    void shouldLetNothingPassThatTheKernelMayHaveSent() {
        set(INET, IpProtocol.ICMP, 0, false);
        assertNull(finder.find(Direction.OUT, flow(IpProtocol.ICMP, "192.0.2.1", 0)));
        Policy ospf = set(INET, 89, 0, false);
        assertSame(ospf, finder.find(Direction.OUT, flow(89, "192.0.2.1", 0)));
    }

    @Test
    void shouldLeaveNeighbourDiscoveryAlone() {
        host.network.addLocal("2001:db8::1");
        Policy esp = set(AddressFamily.INET6, IpProtocol.ICMPV6, 0, true);
        assertNull(finder.find(Direction.OUT, flow(IpProtocol.ICMPV6, "2001:db8::1", ROUTER_SOLICITATION)));
        assertSame(esp, finder.find(Direction.OUT, flow(IpProtocol.ICMPV6, "2001:db8::1", 128)));
    }

    @Test
    void shouldAskWhoHasAFlowOnlyWhileASocketFloats() {
        Flow flow = flow(IpProtocol.UDP, "192.0.2.1", 40000);
        assertNull(finder.find(Direction.OUT, flow));
        assertFalse(finder.hasAsked());
        Policy unbound = set(INET, IpProtocol.UDP, 0, true);
        host.network.setSocket(99);
        assertNull(finder.find(Direction.OUT, flow), "somebody else's");
        assertTrue(finder.hasAsked());
        host.network.setSocket(0);
        assertNull(finder.find(Direction.OUT, flow), "nobody's, and who has the socket is known");
        host.network.setSocket(HostNetwork.UNKNOWN_SOCKET);
        assertSame(unbound, finder.find(Direction.OUT, flow));
        assertNull(finder.find(Direction.OUT, flow(IpProtocol.UDP, "10.1.0.1", 40000)), "forwarded");
        assertFalse(finder.hasAsked());
    }

    /** The kernel does not tell when a port changes hands. */
    @Test
    void shouldAskAgainAfterASecond() {
        set(INET, IpProtocol.UDP, 0, true);
        host.network.setSocket(99);
        byte[] packet = Frames.udp("192.0.2.1", "198.51.100.1").frame();
        assertEquals(1, host.send(packet.clone()).size());
        host.network.setSocket(HostNetwork.UNKNOWN_SOCKET);
        assertEquals(1, host.send(packet.clone()).size());
        host.clock.advanceNs(1_000_000_000L);
        assertEquals(0, host.send(packet.clone()).size());
    }

    /** As long as none floated nobody asked whose the flow is, and that answer was for ever. */
    @Test
    void shouldAskForAFlowThatPassedBeforeASocketFloated() {
        byte[] packet = Frames.udp("192.0.2.1", "198.51.100.1").frame();
        assertEquals(1, host.send(packet.clone()).size());
        host.sockets.setPolicy(this, 7, new LocalEndpoint(INET, IpProtocol.UDP, Address.ANY, 0), spec(INET, true), 0);
        host.network.setSocket(7);
        assertEquals(0, host.send(packet.clone()).size());
    }

    @Test
    void shouldAskWhoseAFlowIsFromAnAddressThatTheKernelKnowsAlready() {
        Policy unbound = set(INET, IpProtocol.UDP, 0, true);
        host.network.setSocket(HostNetwork.UNKNOWN_SOCKET);
        assertNull(finder.find(Direction.OUT, flow(IpProtocol.UDP, "192.0.2.9", 40000)));
        host.network.setLocalNow("192.0.2.9");
        assertSame(unbound, finder.find(Direction.OUT, flow(IpProtocol.UDP, "192.0.2.9", 40000)));
    }
}
