package org.xfrmbridge.datapath;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.xfrmbridge.db.SocketPolicies.LocalEndpoint;
import org.xfrmbridge.io.StaticNetwork;
import org.xfrmbridge.net.Bytes;
import org.xfrmbridge.net.Ethernet;
import org.xfrmbridge.net.Ipv4;
import org.xfrmbridge.net.MacAddress;
import org.xfrmbridge.xfrm.Address;
import org.xfrmbridge.xfrm.AddressFamily;
import org.xfrmbridge.xfrm.Direction;
import org.xfrmbridge.xfrm.Encapsulation;
import org.xfrmbridge.xfrm.IpProtocol;
import org.xfrmbridge.xfrm.Lifetime;
import org.xfrmbridge.xfrm.Mode;
import org.xfrmbridge.xfrm.PolicySpec;
import org.xfrmbridge.xfrm.Selector;
import org.xfrmbridge.xfrm.State;
import org.xfrmbridge.xfrm.StateFlags;
import org.xfrmbridge.xfrm.StateSpecBuilder;
import org.xfrmbridge.xfrm.Template;

/** What becomes of packets of the network: ESP, its order of checks, and the policy check behind it. */
class InboundPathTest {
    private static final String PEER = "192.0.2.2";
    private static final String SELF = "192.0.2.1";
    private static final Selector NET = Sas.between("10.2.0.0/16", "10.1.0.0/16");

    private final TestHost peer = new TestHost(PEER, "10.2.0.1");
    private final TestHost host = new TestHost(SELF, "10.1.0.1");
    private final Frames plain = Frames.udp("10.2.0.1", "10.1.0.1").inbound();

    private State install(StateSpecBuilder spec) {
        peer.sad.insert(Sas.state(spec));
        State state = Sas.state(spec);
        host.sad.insert(state);
        return state;
    }

    /** A peer that sends through a tunnel, and a host with the State for it and, if wanted, a policy. */
    private State tunnel(Direction... directions) {
        peer.policy(Direction.OUT, NET, Sas.template(Mode.TUNNEL, PEER, SELF));
        peer.policy(Direction.OUT, Sas.between("10.2.0.0/16", "10.9.0.0/16"), Sas.template(Mode.TUNNEL, PEER, SELF));
        for (Direction direction : directions) {
            host.policy(direction, Selector.any(AddressFamily.INET), Sas.template(Mode.TUNNEL, PEER, SELF));
        }
        return install(Sas.spec(Mode.TUNNEL, PEER, SELF, 7));
    }

    private List<byte[]> sealed() {
        List<byte[]> sealed = peer.send(Frames.udp("10.2.0.1", "10.1.0.1").frame());
        assertEquals(1, sealed.size(), peer.stats::toProcText);
        return sealed;
    }

    private void assertArrives(List<byte[]> frames) {
        List<byte[]> arrived = host.receive(frames);
        assertEquals(1, arrived.size(), host.stats::toProcText);
        assertArrayEquals(Frames.udp("10.2.0.1", "10.1.0.1").packet(), Frames.packet(arrived.getFirst()));
    }

    private void assertDropped(DropReason reason, List<byte[]> frames) {
        long before = host.drops(reason);
        assertEquals(0, host.receive(frames).size());
        assertEquals(before + 1, host.drops(reason), host.stats::toProcText);
        assertEquals(Arrays.stream(DropReason.ALL).mapToLong(host::drops).sum(), host.stats.inbound(Metric.DROPPED));
    }

    // Policies and packets in the clear

    @Test
    void shouldPassEverythingWhenThereAreNoPolicies() {
        byte[] frame = plain.frame();
        assertArrayEquals(frame, host.receive(frame).getFirst());
    }

    @Test
    void shouldDropTheFirstPacketOfAStateThatThereIsNoMemoryFor() {
        host.policy(Direction.IN, NET, Sas.template(Mode.TUNNEL, PEER, SELF));
        tunnel();
        host.memoryIsFull = true;
        assertDropped(DropReason.IN_BUFFER_ERROR, sealed());
        host.memoryIsFull = false;
        assertArrives(sealed());
        host.memoryIsFull = true;
        assertArrives(sealed());
    }

    @Test
    void shouldMatchTheInterfaceWhosePlaceItHas() {
        host.network.setAttachedIndex(5);
        host.policy(Direction.IN, Sas.between("10.2.0.0/16", "10.1.0.0/16", 0, 0, 5), PolicySpec.Action.BLOCK, 1);
        assertDropped(DropReason.IN_POL_BLOCK, List.of(plain.frame()));
        host.network.setAttachedIndex(6);
        assertEquals(1, host.receive(plain.frame()).size());
        host.network.setAttachedIndex(5);
        assertDropped(DropReason.IN_POL_BLOCK, List.of(plain.frame()));
    }

    @Test
    void shouldDropClearPacketsThatAPolicyWantsProtected() {
        host.policy(Direction.IN, NET, Sas.template(Mode.TUNNEL, PEER, SELF));
        assertDropped(DropReason.IN_TMPL_MISMATCH, List.of(plain.frame()));
        host.policy(Direction.IN, NET, PolicySpec.Action.BLOCK, 1);
        assertDropped(DropReason.IN_POL_BLOCK, List.of(plain.frame()));
        host.policy(Direction.IN, NET, PolicySpec.Action.ALLOW, 0);
        assertEquals(1, host.receive(plain.frame()).size());
    }

    @Test
    void shouldCheckNoPolicyButTheSocketsWherePoliciesAreDisabled() {
        host.spd.setDefaultAction(Direction.IN, PolicySpec.Action.BLOCK);
        host.policy(Direction.IN, NET, PolicySpec.Action.BLOCK, 1);
        assertDropped(DropReason.IN_POL_BLOCK, List.of(plain.frame()));
        host.network.disablePolicy(AddressFamily.INET6);
        assertDropped(DropReason.IN_POL_BLOCK, List.of(plain.frame()));
        host.network.disablePolicy(AddressFamily.INET);
        assertEquals(1, host.receive(plain.frame()).size());
        tunnel();
        assertArrives(sealed());
        LocalEndpoint at = new LocalEndpoint(AddressFamily.INET, IpProtocol.UDP, Address.ANY, 2222);
        PolicySpec block = TestHost.spec(
                Direction.IN, Selector.any(AddressFamily.INET), PolicySpec.Action.BLOCK, 0, PolicySpec.Type.MAIN);
        host.sockets.setPolicy("test", 1, at, block, 1);
        assertDropped(DropReason.IN_POL_BLOCK, List.of(plain.frame()));
        host.sockets.close("test", 1);
        host.network.disablePolicy();
        assertDropped(DropReason.IN_POL_BLOCK, List.of(plain.frame()));
    }

    @Test
    void shouldDropWhenTheDefaultIsBlockAndNoPolicyMatches() {
        host.spd.setDefaultAction(Direction.IN, PolicySpec.Action.BLOCK);
        assertDropped(DropReason.IN_NO_POLS, List.of(plain.frame()));
        assertEquals(
                1,
                host.receive(Frames.udp("10.2.0.1", "10.9.0.1").inbound().frame())
                        .size());
        host.spd.setDefaultAction(Direction.FWD, PolicySpec.Action.BLOCK);
        assertDropped(
                DropReason.IN_NO_POLS,
                List.of(Frames.udp("10.2.0.1", "10.9.0.1").inbound().frame()));
    }

    @Test
    void shouldHonourTheSocketsPolicy() {
        host.policy(Direction.IN, NET, Sas.template(Mode.TUNNEL, PEER, SELF));
        LocalEndpoint at = new LocalEndpoint(AddressFamily.INET, IpProtocol.UDP, Address.ANY, 2222);
        PolicySpec bypass = TestHost.spec(
                Direction.IN, Selector.any(AddressFamily.INET), PolicySpec.Action.ALLOW, 0, PolicySpec.Type.MAIN);
        host.sockets.setPolicy("test", 1, at, bypass, 1);
        assertEquals(1, host.receive(plain.frame()).size());
        host.sockets.close("test", 1);
        assertDropped(DropReason.IN_TMPL_MISMATCH, List.of(plain.frame()));
    }

    @Test
    void shouldTakeAnOptionalTransportTemplateAsDone() {
        host.policy(Direction.IN, NET, Sas.template(Mode.TRANSPORT, PEER, SELF, 1, true));
        assertEquals(1, host.receive(plain.frame()).size());
    }

    // Policies and packets through States

    @Test
    void shouldDeliverWhatCameThroughTheTunnelAPolicyWants() {
        State state = tunnel(Direction.IN);
        assertArrives(sealed());
        assertEquals(128, state.usage().bytes());
        assertEquals(1, host.stats.inbound(Metric.PROTECTED));
    }

    @Test
    void shouldSendTheInnerPacketToTheHostsOwnLinkAddress() {
        tunnel(Direction.IN);
        byte[] arrived = host.receive(sealed()).getFirst();
        assertEquals(StaticNetwork.HOST_MAC, MacAddress.read(arrived, Ethernet.DESTINATION));
        assertEquals(StaticNetwork.GATEWAY_MAC, MacAddress.read(arrived, Ethernet.SOURCE));
    }

    @Test
    void shouldCheckPacketsToOthersAgainstForwardPolicies() {
        tunnel(Direction.IN);
        List<byte[]> forwarded = peer.send(Frames.udp("10.2.0.1", "10.9.0.1").frame());
        assertDropped(DropReason.IN_NO_POLS, forwarded);
        host.policy(Direction.FWD, Selector.any(AddressFamily.INET), Sas.template(Mode.TUNNEL, PEER, SELF));
        assertEquals(
                1,
                host.receive(peer.send(Frames.udp("10.2.0.1", "10.9.0.1").frame()))
                        .size());
    }

    @Test
    void shouldRefuseATunnelThatNoPolicyAskedFor() {
        tunnel();
        assertDropped(DropReason.IN_NO_POLS, sealed());
        host.policy(Direction.IN, NET, PolicySpec.Action.ALLOW, 1);
        assertDropped(DropReason.IN_TMPL_MISMATCH, sealed());
    }

    @ParameterizedTest(name = "mode {0}, source {1}, reqid {2}: {3}")
    @CsvSource({
        "TUNNEL, 192.0.2.2, 1, true",
        "TUNNEL, 0.0.0.0, 0, true",
        "TUNNEL, 192.0.2.3, 1, false",
        "TUNNEL, 192.0.2.2, 2, false",
        "BEET, 192.0.2.2, 1, false",
        "TRANSPORT, 192.0.2.2, 1, false"
    })
    void shouldCompareTemplateAndState(Mode mode, String source, int reqid, boolean fits) {
        tunnel();
        host.policy(Direction.IN, NET, Sas.template(mode, source, SELF, reqid, false));
        if (fits) {
            assertArrives(sealed());
        } else {
            assertDropped(DropReason.IN_TMPL_MISMATCH, sealed());
        }
    }

    @Test
    void shouldCheckTheStatesSelector() {
        tunnel(Direction.IN);
        StateSpecBuilder spec =
                Sas.spec(Mode.TUNNEL, PEER, SELF, 7).selector(Sas.between("10.2.0.9/32", "10.1.0.0/16"));
        host.sad.remove(host.sad.lookup(spec.id(), AddressFamily.INET, 0));
        host.sad.insert(Sas.state(spec));
        assertDropped(DropReason.IN_STATE_MISMATCH, sealed());
    }

    @Test
    void shouldForgetTheVerdictWhenPoliciesChange() {
        tunnel(Direction.IN);
        assertArrives(sealed());
        host.policy(Direction.IN, NET, PolicySpec.Action.BLOCK, 1);
        assertDropped(DropReason.IN_POL_BLOCK, sealed());
    }

    @Test
    void shouldCountOneLookupForAKnownFlowThroughAState() {
        tunnel(Direction.IN);
        assertArrives(sealed());
        long before = host.stats.inbound(Metric.LOOKUPS) - host.stats.inbound(Metric.HANDED_OVER);
        assertArrives(sealed());
        long after = host.stats.inbound(Metric.LOOKUPS) - host.stats.inbound(Metric.HANDED_OVER);
        assertEquals(1, after - before, "in the Sad; the State remembers the rest");
    }

    // ESP

    @Test
    void shouldDropWhatNoStateIsFor() {
        peer.sad.insert(Sas.state(Sas.spec(Mode.TUNNEL, PEER, SELF, 7)));
        peer.policy(Direction.OUT, NET, Sas.template(Mode.TUNNEL, PEER, SELF));
        assertDropped(DropReason.IN_NO_STATES, sealed());
    }

    @Test
    void shouldDropReplays() {
        tunnel(Direction.IN);
        List<byte[]> first = sealed();
        List<byte[]> second = sealed();
        assertArrives(second);
        assertArrives(first);
        assertDropped(DropReason.IN_STATE_SEQ_ERROR, second);
        assertDropped(DropReason.IN_STATE_SEQ_ERROR, first);
    }

    @Test
    void shouldDropChangedPacketsAndThenStillTakeTheRightOne() {
        State state = tunnel(Direction.IN);
        byte[] right = sealed().getFirst();
        byte[] wrong = right.clone();
        wrong[60] ^= 1;
        assertDropped(DropReason.IN_STATE_PROTO_ERROR, List.of(wrong));
        assertEquals(1, state.integrityFailures());
        assertEquals(0, state.usage().packets());
        assertArrives(List.of(right));
    }

    @Test
    void shouldDropForStatesThatAreNotValid() {
        State state = tunnel(Direction.IN);
        state.enter(State.Phase.ACQUIRING);
        assertDropped(DropReason.ACQUIRE_ERROR, sealed());
        state.enter(State.Phase.EXPIRED);
        assertDropped(DropReason.IN_STATE_INVALID, sealed());
    }

    @Test
    void shouldRefuseAStateOfTheOtherDirection() {
        State state = tunnel(Direction.IN);
        StateSpecBuilder spec = state.spec().toBuilder().direction(2);
        state.respec(spec.build());
        assertDropped(DropReason.IN_STATE_DIR_ERROR, sealed());
    }

    @Test
    void shouldStopAtTheHardPacketLimit() {
        State state = tunnel(Direction.IN);
        StateSpecBuilder spec = state.spec().toBuilder()
                .lifetime(Lifetime.builder().softPackets(1).hardPackets(2).build());
        state.respec(spec.build());
        assertArrives(sealed());
        assertEquals(List.of(), host.told);
        assertArrives(sealed());
        assertEquals(List.of("limit"), host.told);
        assertDropped(DropReason.IN_STATE_EXPIRED, sealed());
    }

    @Test
    void shouldDropADummyPacket() {
        host.sad.insert(Sas.state(Sas.spec(Mode.TRANSPORT, PEER, SELF, 7)));
        peer.sad.insert(Sas.state(Sas.spec(Mode.TRANSPORT, PEER, SELF, 7)));
        peer.policy(Direction.OUT, Selector.any(AddressFamily.INET), Sas.template(Mode.TRANSPORT, PEER, SELF));
        List<byte[]> dummy = peer.send(
                Frames.udp(PEER, SELF).payload(IpProtocol.NONE, new byte[20]).frame());
        assertDropped(DropReason.IN_STATE_PROTO_ERROR, dummy);
    }

    @Test
    void shouldDropWhenTheModeDoesNotFitTheContents() {
        State state = tunnel(Direction.IN);
        StateSpecBuilder transport = Sas.spec(Mode.TRANSPORT, PEER, SELF, 8);
        peer.sad.insert(Sas.state(transport));
        peer.policy(
                Direction.OUT,
                Selector.any(AddressFamily.INET),
                PolicySpec.Action.ALLOW,
                1,
                Sas.template(Mode.TRANSPORT, PEER, SELF));
        StateSpecBuilder tunnel = Sas.spec(Mode.TUNNEL, PEER, SELF, 8);
        host.sad.insert(Sas.state(tunnel));
        assertDropped(
                DropReason.IN_STATE_MODE_ERROR, peer.send(Frames.udp(PEER, SELF).frame()));
        assertEquals(0, state.usage().packets());
    }

    @Test
    void shouldDropTruncatedEsp() {
        tunnel(Direction.IN);
        assertDropped(
                DropReason.IN_HDR_ERROR,
                List.of(Frames.udp(PEER, SELF)
                        .payload(IpProtocol.ESP, new byte[7])
                        .inbound()
                        .frame()));
        byte[] esp = new byte[12];
        esp[3] = 7;
        esp[7] = 1;
        assertDropped(
                DropReason.IN_STATE_PROTO_ERROR,
                List.of(Frames.udp(PEER, SELF)
                        .payload(IpProtocol.ESP, esp)
                        .inbound()
                        .frame()));
    }

    @Test
    void shouldOpenTunnelInTunnelForPoliciesThatWantBoth() {
        Template outer = Sas.template(Mode.TUNNEL, PEER, SELF, 2, false);
        Template inner = Sas.template(Mode.TUNNEL, "10.2.0.254", "10.1.0.254", 1, false);
        peer.policy(Direction.OUT, NET, inner, outer);
        host.network.addLocal("10.1.0.254");
        host.policy(Direction.IN, NET, inner, outer);
        install(Sas.spec(Mode.TUNNEL, "10.2.0.254", "10.1.0.254", 7));
        StateSpecBuilder second = Sas.spec(Mode.TUNNEL, PEER, SELF, 8).reqid(2);
        State outerState = install(second);
        assertArrives(sealed());
        assertEquals(
                128 + 20 + 8 + 8 + 2 + 2 + 16,
                outerState.usage().bytes(),
                "outer header, SPI, seq, IV, pad to 4, trailer, ICV");
        host.policy(Direction.IN, NET, outer, inner);
        assertDropped(DropReason.IN_TMPL_MISMATCH, sealed());
        host.policy(Direction.IN, NET, outer);
        assertDropped(DropReason.IN_TMPL_MISMATCH, sealed());
    }

    @ParameterizedTest(name = "outer {0} and inner {1} with flags {2} is {3}")
    @CsvSource({
        "0x00, 0x00, 0, 0x00",
        "0x03, 0x02, 0, 0x03",
        "0x03, 0x01, 0, 0x03",
        "0x03, 0x00, 0, 0x00",
        "0x03, 0x02, 1, 0x02",
        "0xbb, 0x2a, 0, 0x2b",
        "0xba, 0x28, 2, 0xb8",
        "0xbb, 0x2a, 2, 0xbb",
        "0xbb, 0x2a, 3, 0xba"
    })
    void shouldCarryDscpAndEcnInward(String outer, String inner, int flags, String result) {
        State state = tunnel(Direction.IN);
        StateSpecBuilder spec = state.spec().toBuilder().flags(StateFlags.AF_UNSPEC | flags);
        state.respec(spec.build());
        byte[] sealed = peer.send(Frames.udp("10.2.0.1", "10.1.0.1")
                        .tos(Integer.decode(inner))
                        .frame())
                .getFirst();
        Ipv4.putTos(sealed, Ethernet.HEADER_BYTES, Integer.decode(outer));
        byte[] arrived = host.receive(List.of(sealed)).getFirst();
        assertArrayEquals(
                Frames.udp("10.2.0.1", "10.1.0.1").tos(Integer.decode(result)).packet(),
                Frames.packet(arrived),
                "checksum included");
    }

    @Test
    void shouldTakeErrorsAboutProtectedTrafficThroughAStateThatAllowsThem() {
        State state = tunnel();
        peer.policy(Direction.OUT, Selector.any(AddressFamily.INET), Sas.template(Mode.TUNNEL, PEER, SELF));
        host.policy(Direction.IN, NET, Sas.template(Mode.TUNNEL, PEER, SELF));
        byte[] quoted = Frames.udp("10.1.0.1", "10.2.0.1").packet();
        byte[] unreachable = new byte[8 + quoted.length];
        unreachable[0] = 3;
        System.arraycopy(quoted, 0, unreachable, 8, quoted.length);
        byte[] error = Frames.udp("203.0.113.1", "10.1.0.1")
                .payload(IpProtocol.ICMP, unreachable)
                .frame();
        assertDropped(DropReason.IN_NO_POLS, peer.send(error));
        StateSpecBuilder spec = state.spec().toBuilder();
        spec.flags(spec.flags() | StateFlags.ICMP);
        state.respec(spec.build());
        assertArrayEquals(
                Frames.packet(error),
                Frames.packet(host.receive(peer.send(error)).getFirst()));
        host.policy(Direction.IN, NET, PolicySpec.Action.BLOCK, 1);
        assertDropped(DropReason.IN_NO_POLS, peer.send(error));
    }

    // ESP in UDP

    private State udpTunnel() {
        tunnel(Direction.IN);
        StateSpecBuilder spec = Sas.spec(Mode.TUNNEL, PEER, SELF, 9)
                .encapsulation(new Encapsulation(Encapsulation.UDP_ENCAP_ESPINUDP, 4500, 4500, Address.ANY));
        LocalEndpoint at = new LocalEndpoint(AddressFamily.INET, IpProtocol.UDP, Address.ANY, 4500);
        PolicySpec bypass = TestHost.spec(
                Direction.IN, Selector.any(AddressFamily.INET), PolicySpec.Action.ALLOW, 0, PolicySpec.Type.MAIN);
        host.sockets.setEncapsulation("test", 1, at, Encapsulation.UDP_ENCAP_ESPINUDP);
        host.sockets.setPolicy("test", 1, at, bypass, 1);
        return install(spec);
    }

    private static byte[] natT(byte... content) {
        Frames frames = Frames.udp(PEER, SELF).inbound();
        byte[] udp = new byte[8 + content.length];
        Bytes.putI32(udp, 0, 4500 << 16 | 4500);
        Bytes.putU16(udp, 4, udp.length);
        System.arraycopy(content, 0, udp, 8, content.length);
        return frames.payload(IpProtocol.UDP, udp).frame();
    }

    @Test
    void shouldEatKeepalivesAndHandOnIke() {
        udpTunnel();
        assertEquals(0, host.receive(natT((byte) 0xff)).size());
        assertEquals(1, host.stats.inbound(Metric.CONSUMED));
        byte[] ike = natT(new byte[40]);
        assertArrayEquals(ike, host.receive(ike).getFirst());
        byte[] tooShortForEsp = natT(new byte[] {1, 2, 3, 4, 5, 6, 7, 8});
        assertArrayEquals(tooShortForEsp, host.receive(tooShortForEsp).getFirst());
        assertEquals(0, host.stats.inbound(Metric.DROPPED));
    }

    @Test
    void shouldTellOfANewMapping() {
        State state = udpTunnel();
        byte[] sealed = sealed().getFirst();
        assertArrives(List.of(sealed));
        assertEquals(List.of(), host.told);
        sealed = sealed().getFirst();
        Bytes.putU16(sealed, 34, 4600);
        assertArrives(List.of(sealed));
        assertEquals(List.of("mapping 192.0.2.2 4600"), host.told);
        sealed = sealed().getFirst();
        Bytes.putI32(sealed, 26, Address.parse("192.0.2.77").ipv4());
        Ipv4.finish(sealed, 14, sealed.length - 14);
        assertArrives(List.of(sealed));
        assertEquals("mapping 192.0.2.77 4500", host.told.getLast());
        assertEquals(3, state.usage().packets());
    }

    @Test
    void shouldInsistOnTheAgreedEncapsulation() {
        State state = udpTunnel();
        StateSpecBuilder spec = state.spec().toBuilder().encapsulation(null);
        state.respec(spec.build());
        assertDropped(DropReason.IN_STATE_MISMATCH, sealed());
    }

    @Test
    void shouldMakeChecksumsRightThatANatMadeWrong() {
        StateSpecBuilder spec = Sas.spec(Mode.TRANSPORT, PEER, SELF, 9)
                .encapsulation(new Encapsulation(Encapsulation.UDP_ENCAP_ESPINUDP, 4500, 4500, Address.ANY));
        udpTunnel();
        peer.sad.remove(peer.sad.lookup(spec.id(), AddressFamily.INET, 0));
        host.sad.remove(host.sad.lookup(spec.id(), AddressFamily.INET, 0));
        install(spec);
        peer.policy(Direction.OUT, Sas.between(PEER + "/32", SELF + "/32"), Sas.template(Mode.TRANSPORT, PEER, SELF));
        host.policy(Direction.IN, Selector.any(AddressFamily.INET), Sas.template(Mode.TRANSPORT, PEER, SELF));
        byte[] sealed = peer.send(Frames.udp(PEER, SELF).frame()).getFirst();
        Bytes.putI32(sealed, 26, Address.parse("198.51.100.1").ipv4());
        Ipv4.finish(sealed, 14, sealed.length - 14);
        byte[] arrived = host.receive(List.of(sealed)).getFirst();
        assertArrayEquals(Frames.udp("198.51.100.1", SELF).packet(), Frames.packet(arrived));
    }

    @Test
    void shouldIgnorePaddingBehindThePacket() {
        tunnel(Direction.IN);
        byte[] padded = Arrays.copyOf(sealed().getFirst(), 400);
        assertArrives(List.of(padded));
    }
}
