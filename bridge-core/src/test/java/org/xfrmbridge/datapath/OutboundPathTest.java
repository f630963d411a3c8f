package org.xfrmbridge.datapath;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.xfrmbridge.db.SocketPolicies.LocalEndpoint;
import org.xfrmbridge.io.HostNetwork.NextHop;
import org.xfrmbridge.io.StaticNetwork;
import org.xfrmbridge.net.Bytes;
import org.xfrmbridge.net.Ethernet;
import org.xfrmbridge.net.IpPacket;
import org.xfrmbridge.net.Ipv4;
import org.xfrmbridge.net.Ipv6;
import org.xfrmbridge.net.MacAddress;
import org.xfrmbridge.xfrm.Address;
import org.xfrmbridge.xfrm.AddressFamily;
import org.xfrmbridge.xfrm.Direction;
import org.xfrmbridge.xfrm.Encapsulation;
import org.xfrmbridge.xfrm.IpProtocol;
import org.xfrmbridge.xfrm.Lifetime;
import org.xfrmbridge.xfrm.Mode;
import org.xfrmbridge.xfrm.PolicySpec;
import org.xfrmbridge.xfrm.ReplayState;
import org.xfrmbridge.xfrm.Selector;
import org.xfrmbridge.xfrm.State;
import org.xfrmbridge.xfrm.StateFlags;
import org.xfrmbridge.xfrm.StateSpecBuilder;
import org.xfrmbridge.xfrm.Template;

/** What becomes of packets of the host: policies, States, generations, and the header in front. */
class OutboundPathTest {
    private static final String NEAR = "192.0.2.1";
    private static final String FAR = "192.0.2.2";
    private static final Selector NET = Sas.between("10.1.0.0/16", "10.2.0.0/16");
    private static final Selector NET6 = Sas.between("fd01::/16", "fd02::/16");

    private final TestHost host = new TestHost(NEAR, "10.1.0.1");
    private final byte[] frame = Frames.udp("10.1.0.1", "10.2.0.1").frame();

    private State tunnel(int spi) {
        State state = Sas.state(Sas.spec(Mode.TUNNEL, NEAR, FAR, spi));
        host.sad.insert(state);
        return state;
    }

    private void protectAll() {
        host.policy(Direction.OUT, NET, Sas.template(Mode.TUNNEL, NEAR, FAR));
        host.policy(Direction.OUT, NET6, Sas.template(Mode.TUNNEL, NEAR, FAR));
    }

    private byte[] sendOne(byte[] toSend) {
        List<byte[]> sent = host.send(toSend);
        assertEquals(1, sent.size(), host.stats::toProcText);
        return sent.getFirst();
    }

    private void assertDropped(DropReason reason, byte[] toSend) {
        long before = host.drops(reason);
        assertEquals(0, host.send(toSend).size());
        assertEquals(before + 1, host.drops(reason), host.stats::toProcText);
        assertEquals(Arrays.stream(DropReason.ALL).mapToLong(host::drops).sum(), host.stats.outbound(Metric.DROPPED));
    }

    private static int spiOf(byte[] sealed) {
        IpPacket outer = Frames.view(sealed);
        assertEquals(IpProtocol.ESP, outer.protocol);
        return Bytes.i32(outer.data(), outer.payload);
    }

    @Test
    void shouldPassEverythingWhenThereAreNoPolicies() {
        assertArrayEquals(frame, sendOne(frame));
        assertEquals(1, host.stats.outbound(Metric.PASSED));
    }

    @Test
    void shouldPassArpWhateverThePoliciesSay() {
        host.spd.setDefaultAction(Direction.OUT, PolicySpec.Action.BLOCK);
        byte[] arp = new byte[60];
        Bytes.putU16(arp, Ethernet.TYPE, Ethernet.TYPE_ARP);
        assertArrayEquals(arp, sendOne(arp));
    }

    @Test
    void shouldDropFromTheNextPacketOnWhenTheDefaultIsBlock() {
        sendOne(frame);
        host.spd.setDefaultAction(Direction.OUT, PolicySpec.Action.BLOCK);
        assertDropped(DropReason.OUT_POL_BLOCK, frame);
    }

    @Test
    void shouldFollowTheBetterPolicy() {
        host.policy(Direction.OUT, NET, PolicySpec.Action.BLOCK, 100);
        assertDropped(DropReason.OUT_POL_BLOCK, frame);
        host.policy(Direction.OUT, Sas.between("10.1.0.1/32", "10.2.0.0/16"), PolicySpec.Action.ALLOW, 50);
        assertArrayEquals(frame, sendOne(frame));
    }

    @Test
    void shouldAskTheSocketsPolicyFirst() {
        host.policy(Direction.OUT, NET, PolicySpec.Action.BLOCK, 100);
        LocalEndpoint at = new LocalEndpoint(AddressFamily.INET, IpProtocol.UDP, Address.ANY, 1111);
        PolicySpec bypass = TestHost.spec(
                Direction.OUT, Selector.any(AddressFamily.INET), PolicySpec.Action.ALLOW, 0, PolicySpec.Type.MAIN);
        host.sockets.setPolicy("test", 1, at, bypass, 1);
        assertArrayEquals(frame, sendOne(frame));
        host.sockets.close("test", 1);
        assertDropped(DropReason.OUT_POL_BLOCK, frame);
    }

    @Test
    void shouldProtectWhatTheSocketsPolicyAsksFor() {
        LocalEndpoint at = new LocalEndpoint(AddressFamily.INET, IpProtocol.UDP, Address.ANY, 1111);
        PolicySpec protect = TestHost.spec(
                        Direction.OUT,
                        Selector.any(AddressFamily.INET),
                        PolicySpec.Action.ALLOW,
                        0,
                        PolicySpec.Type.MAIN)
                .withTemplates(List.of(Sas.template(Mode.TUNNEL, NEAR, FAR)));
        host.sockets.setPolicy("test", 1, at, protect, 1);
        assertDropped(DropReason.OUT_NO_STATES, frame);
        assertEquals(1, host.told.size());
        tunnel(7);
        assertEquals(7, spiOf(sendOne(frame)));
        host.sockets.close("test", 1);
        assertArrayEquals(frame, sendOne(frame));
    }

    /** IPv4 alone has the setting; the default verdict holds nevertheless, for packets that are not forwarded. */
    @Test
    void shouldAskNoPolicyButTheSocketsWhereXfrmIsDisabled() {
        host.policy(Direction.OUT, NET, PolicySpec.Action.BLOCK, 100);
        host.policy(Direction.OUT, NET6, PolicySpec.Action.BLOCK, 100);
        byte[] frame6 = Frames.udp("fd01::1", "fd02::1").frame();
        assertDropped(DropReason.OUT_POL_BLOCK, frame);
        host.network.disableXfrm(AddressFamily.INET);
        assertArrayEquals(frame, sendOne(frame));
        assertDropped(DropReason.OUT_POL_BLOCK, frame6);
        LocalEndpoint at = new LocalEndpoint(AddressFamily.INET, IpProtocol.UDP, Address.ANY, 1111);
        PolicySpec block = TestHost.spec(
                Direction.OUT, Selector.any(AddressFamily.INET), PolicySpec.Action.BLOCK, 0, PolicySpec.Type.MAIN);
        host.sockets.setPolicy("test", 1, at, block, 1);
        assertDropped(DropReason.OUT_POL_BLOCK, frame);
        host.sockets.close("test", 1);
        host.spd.setDefaultAction(Direction.OUT, PolicySpec.Action.BLOCK);
        assertDropped(DropReason.OUT_POL_BLOCK, frame);
        byte[] forwarded = Frames.udp("10.1.0.9", "10.2.0.1").frame();
        assertArrayEquals(forwarded, sendOne(forwarded));
        host.network.disableXfrm();
        host.spd.setDefaultAction(Direction.OUT, PolicySpec.Action.ALLOW);
        assertDropped(DropReason.OUT_POL_BLOCK, frame);
    }

    @Test
    void shouldApplySubPolicyAndThenTheMainOne() {
        host.spd.add(TestHost.spec(Direction.OUT, NET, PolicySpec.Action.ALLOW, 1, PolicySpec.Type.SUB), 1);
        assertArrayEquals(frame, sendOne(frame));
        host.policy(Direction.OUT, NET, PolicySpec.Action.BLOCK, 1);
        assertDropped(DropReason.OUT_POL_BLOCK, frame);
    }

    @Test
    void shouldRefuseAsManyTemplatesAsTheKernelRefuses() {
        Template[] six = new Template[6];
        Arrays.fill(six, Sas.template(Mode.TUNNEL, NEAR, FAR));
        tunnel(1);
        host.policy(Direction.OUT, NET, six);
        assertDropped(DropReason.OUT_POL_ERROR, frame);
    }

    @Test
    void shouldAcquireOnceAndDropUntilTheStateIsThere() {
        protectAll();
        assertDropped(DropReason.OUT_NO_STATES, frame);
        assertDropped(DropReason.OUT_NO_STATES, frame);
        assertEquals(List.of("acquire 192.0.2.2 192.0.2.1"), host.told);
        host.sad.insert(Sas.larval(Sas.spec(Mode.TUNNEL, NEAR, FAR, 0)));
        assertDropped(DropReason.OUT_NO_STATES, frame);
        tunnel(7);
        assertEquals(7, spiOf(sendOne(frame)));
        assertEquals(1, host.told.size());
    }

    @Test
    void shouldAcquireAgainWhenTheLarvalStateIsGone() {
        protectAll();
        State larval = Sas.larval(Sas.spec(Mode.TUNNEL, NEAR, FAR, 0));
        host.sad.insert(larval);
        assertDropped(DropReason.OUT_NO_STATES, frame);
        assertEquals(List.of(), host.told);
        host.sad.remove(larval);
        assertDropped(DropReason.OUT_NO_STATES, frame);
        assertEquals(1, host.told.size());
    }

    @Test
    void shouldRepeatAnAcquireThatNobodyAnswered() {
        protectAll();
        assertDropped(DropReason.OUT_NO_STATES, frame);
        host.clock.advanceNs(OutboundResolver.ACQUIRE_RETRY_NS);
        assertDropped(DropReason.OUT_NO_STATES, frame);
        assertEquals(2, host.told.size());
    }

    @Test
    void shouldCountWhatCannotBeAskedForAsAKernelWithoutMemoryDoes() {
        protectAll();
        host.refusesAcquires = true;
        assertDropped(DropReason.OUT_POL_ERROR, frame);
        host.refusesAcquires = false;
        host.clock.advanceNs(OutboundResolver.ACQUIRE_RETRY_NS);
        assertDropped(DropReason.OUT_NO_STATES, frame);
        assertEquals(1, host.told.size());
    }

    @Test
    void shouldDropTheFirstPacketOfAStateThatThereIsNoMemoryFor() {
        protectAll();
        tunnel(7);
        host.memoryIsFull = true;
        assertDropped(DropReason.OUT_BUNDLE_GEN_ERROR, frame);
        host.memoryIsFull = false;
        host.clock.advanceNs(OutboundResolver.MEMORY_RETRY_NS);
        assertEquals(7, spiOf(sendOne(frame)));
        host.memoryIsFull = true;
        assertEquals(7, spiOf(sendOne(frame)));
    }

    @Test
    void shouldAcquireWhatWentWhileAnotherTemplateWaitsForItsState() {
        host.policy(
                Direction.OUT,
                NET,
                Sas.template(Mode.TUNNEL, NEAR, FAR),
                Sas.template(Mode.TUNNEL, NEAR, FAR, 9, false));
        State first = tunnel(7);
        StateSpecBuilder second = Sas.spec(Mode.TUNNEL, NEAR, FAR, 0).reqid(9);
        host.sad.insert(Sas.larval(second));
        assertDropped(DropReason.OUT_NO_STATES, frame);
        assertEquals(List.of(), host.told);
        host.sad.remove(first);
        assertDropped(DropReason.OUT_NO_STATES, frame);
        assertEquals(1, host.told.size());
    }

    @Test
    void shouldSkipAnOptionalTemplateWithoutState() {
        host.policy(
                Direction.OUT,
                NET,
                Sas.template(Mode.TUNNEL, NEAR, FAR, 9, true),
                Sas.template(Mode.TUNNEL, NEAR, FAR));
        tunnel(7);
        assertEquals(7, spiOf(sendOne(frame)));
        host.policy(Direction.OUT, NET, Sas.template(Mode.TUNNEL, NEAR, FAR, 9, true));
        assertArrayEquals(frame, sendOne(frame));
    }

    @Test
    void shouldUseTheBetterStateFromTheNextPacketOn() {
        protectAll();
        State first = tunnel(7);
        assertEquals(7, spiOf(sendOne(frame)));
        tunnel(8);
        assertEquals(8, spiOf(sendOne(frame)));
        assertEquals(1, first.usage().packets());
    }

    @Test
    void shouldStopUsingADeletedState() {
        protectAll();
        State first = tunnel(7);
        sendOne(frame);
        host.sad.remove(first);
        first.enter(State.Phase.DEAD);
        assertDropped(DropReason.OUT_NO_STATES, frame);
        tunnel(8);
        assertEquals(8, spiOf(sendOne(frame)));
    }

    @Test
    void shouldFollowAnUpdateOfEncapsulation() {
        protectAll();
        State state = tunnel(7);
        sendOne(frame);
        StateSpecBuilder spec = state.spec().toBuilder()
                .encapsulation(new Encapsulation(Encapsulation.UDP_ENCAP_ESPINUDP, 4500, 4501, Address.ANY));
        state.respec(spec.build());
        IpPacket outer = Frames.view(sendOne(frame));
        assertEquals(IpProtocol.UDP, outer.protocol);
        assertEquals(4501, Bytes.u16(outer.data(), outer.payload + 2));
    }

    @Test
    void shouldStopAtTheHardByteLimitAndTellOfTheSoftOne() {
        protectAll();
        StateSpecBuilder spec = Sas.spec(Mode.TUNNEL, NEAR, FAR, 7)
                .lifetime(Lifetime.builder()
                        .softBytes(128)
                        .hardBytes(256)
                        .hardUseSeconds(60)
                        .build());
        State state = Sas.state(spec);
        host.sad.insert(state);
        sendOne(frame);
        assertEquals(List.of(), host.told);
        sendOne(frame);
        assertEquals(List.of("limit"), host.told);
        state.setDying(true);
        assertDropped(DropReason.OUT_STATE_EXPIRED, frame);
        assertEquals(256, state.usage().bytes());
        assertEquals(List.of("limit", "limit"), host.told);
    }

    @Test
    void shouldNotSendANumberTwice() {
        protectAll();
        StateSpecBuilder spec = Sas.spec(Mode.TUNNEL, NEAR, FAR, 7).replay(new ReplayState(-2, 0, 0, 0, 0, new int[1]));
        host.sad.insert(Sas.state(spec));
        sendOne(frame);
        assertDropped(DropReason.OUT_STATE_SEQ_ERROR, frame);
    }

    @Test
    void shouldRefuseAStateOfTheOtherDirection() {
        protectAll();
        StateSpecBuilder spec = Sas.spec(Mode.TUNNEL, NEAR, FAR, 7).direction(1);
        host.sad.insert(Sas.state(spec));
        assertDropped(DropReason.OUT_STATE_DIR_ERROR, frame);
    }

    @Test
    void shouldSendToTheNextHopOfTheOuterAddress() {
        protectAll();
        tunnel(7);
        host.network.setGateway(new NextHop(0x020000000011L, 0x020000000022L, 1500));
        byte[] sent = sendOne(frame);
        assertEquals(0x020000000022L, MacAddress.read(sent, Ethernet.DESTINATION));
        assertEquals(0x020000000011L, MacAddress.read(sent, Ethernet.SOURCE));
        host.network.setGateway(new NextHop(0x020000000011L, 0x020000000033L, 1500));
        assertEquals(0x020000000033L, MacAddress.read(sendOne(frame), Ethernet.DESTINATION));
        host.network.setGateway(null);
        assertDropped(DropReason.OUT_BUNDLE_GEN_ERROR, frame);
    }

    @Test
    void shouldMatchTheInterfaceWhosePlaceItHas() {
        host.network.setAttachedIndex(5);
        // So many that they are looked up by a hash of the interface.
        for (int i = 0; i < 40; i++) {
            Selector other = Sas.between("10.1.0.0/16", "10.2.0.0/16", 0, 0, 100 + i);
            host.policy(Direction.OUT, other, PolicySpec.Action.BLOCK, 1);
        }
        sendOne(frame);
        host.policy(Direction.OUT, Sas.between("10.1.0.0/16", "10.2.0.0/16", 0, 0, 5), PolicySpec.Action.BLOCK, 1);
        assertDropped(DropReason.OUT_POL_BLOCK, frame);
        host.network.setAttachedIndex(6);
        sendOne(frame);
        host.network.setAttachedIndex(5);
        assertDropped(DropReason.OUT_POL_BLOCK, frame);
    }

    /** Rules for a mark or a user know the way, which nobody can ask for. */
    @ParameterizedTest
    @CsvSource({"TRANSPORT, 10.2.0.1", "TUNNEL, 10.2.0.1"})
    void shouldGoTheHostsOwnWayToTheSameDestination(Mode mode, String end) {
        host.policy(Direction.OUT, NET, Sas.template(mode, "10.1.0.1", end));
        host.sad.insert(Sas.state(Sas.spec(mode, "10.1.0.1", end, 7)));
        host.network.setGateway(null);
        byte[] tagged = LinkShape.plain(0x8100_0005).frame(StaticNetwork.GATEWAY_MAC, Frames.packet(frame));
        byte[] sent = sendOne(tagged);
        assertEquals(7, spiOf(sent));
        assertArrayEquals(Arrays.copyOf(tagged, 16), Arrays.copyOf(sent, 16), "link addresses and tag");
    }

    /** A neighbour may come so late that the network has forgotten that somebody asked. */
    @Test
    void shouldAskAgainForANextHopThatDidNotAnswer() {
        protectAll();
        tunnel(7);
        host.network.setGateway(null);
        assertDropped(DropReason.OUT_BUNDLE_GEN_ERROR, frame);
        assertDropped(DropReason.OUT_BUNDLE_GEN_ERROR, frame);
        assertEquals(1, host.network.resolved());
        host.clock.advanceSeconds(1);
        assertDropped(DropReason.OUT_BUNDLE_GEN_ERROR, frame);
        assertEquals(2, host.network.resolved());
    }

    @Test
    void shouldAskForTheSourceAddressThatATemplateLeavesOpen() {
        host.policy(Direction.OUT, NET, Sas.template(Mode.TUNNEL, "0.0.0.0", FAR));
        tunnel(7);
        assertDropped(DropReason.OUT_POL_ERROR, frame);
        host.network.setSource(AddressFamily.INET, NEAR);
        host.network.setMtu(1500);
        assertEquals(7, spiOf(sendOne(frame)));
    }

    @Test
    void shouldCountOneLookupForAKnownFlow() {
        protectAll();
        tunnel(7);
        sendOne(frame);
        long before = host.stats.outbound(Metric.LOOKUPS);
        for (int i = 0; i < 10; i++) {
            sendOne(frame);
        }
        assertEquals(10, host.stats.outbound(Metric.LOOKUPS) - before);
        assertEquals(1, host.stats.outbound(Metric.FLOW_ENTRIES));
        assertEquals(1, host.stats.outbound(Metric.BUNDLES_MADE));
    }

    @ParameterizedTest(name = "TOS {0} with flags {1} and extra flags {2} goes out as {3}")
    @CsvSource({
        "0x00, 0, 0, 0x00",
        "0xb8, 0, 0, 0xb8",
        "0xba, 0, 0, 0xba",
        "0xb9, 0, 0, 0xb9",
        "0xbb, 0, 0, 0xba",
        "0xbb, 1, 0, 0xb8",
        "0xba, 1, 0, 0xb8",
        "0xba, 0, 1, 0x02",
        "0xbb, 0, 1, 0x02",
        "0xbb, 1, 1, 0x00"
    })
    void shouldCarryDscpAndEcnOutward(String inner, int flags, int extraFlags, String outer) {
        protectAll();
        StateSpecBuilder spec = Sas.spec(Mode.TUNNEL, NEAR, FAR, 7);
        spec.flags(spec.flags() | flags);
        spec.extraFlags(extraFlags);
        host.sad.insert(Sas.state(spec));
        int tos = Integer.decode(inner);
        assertEquals(
                Integer.decode(outer),
                Ecn.tos(Frames.view(
                        sendOne(Frames.udp("10.1.0.1", "10.2.0.1").tos(tos).frame()))));
        assertEquals(
                Integer.decode(outer),
                Ecn.tos(Frames.view(
                        sendOne(Frames.udp("fd01::1", "fd02::1").tos(tos).frame()))));
    }

    @Test
    void shouldCopyDontFragmentUnlessTold() {
        protectAll();
        State state = tunnel(7);
        byte[] df = Frames.udp("10.1.0.1", "10.2.0.1").dontFragment().frame();
        byte[] large6 = Frames.udp("fd01::1", "fd02::1").bytes(1300).frame();
        byte[] small6 = Frames.udp("fd01::1", "fd02::1").bytes(1232).frame();
        assertTrue(outerDontFragment(df));
        assertFalse(outerDontFragment(frame));
        assertTrue(outerDontFragment(large6));
        assertFalse(outerDontFragment(small6));
        StateSpecBuilder spec = state.spec().toBuilder();
        spec.flags(spec.flags() | StateFlags.NOPMTUDISC);
        state.respec(spec.build());
        assertFalse(outerDontFragment(df));
        assertFalse(outerDontFragment(large6));
    }

    private boolean outerDontFragment(byte[] toSend) {
        IpPacket outer = Frames.view(sendOne(toSend));
        return Ipv4.dontFragment(outer.data(), outer.offset);
    }

    @Test
    void shouldCopyTheFlowLabelAndStartWithAFullHopLimit() {
        host.policy(Direction.OUT, NET6, Sas.template(Mode.TUNNEL, "2001:db8::1", "2001:db8::2"));
        host.sad.insert(Sas.state(Sas.spec(Mode.TUNNEL, "2001:db8::1", "2001:db8::2", 7)));
        Frames frames = Frames.udp("fd01::1", "fd02::1");
        frames.flowLabel = 0xabcde;
        frames.ttl = 3;
        IpPacket outer = Frames.view(sendOne(frames.frame()));
        assertEquals(0xabcde, Ipv6.flowLabel(outer.data(), outer.offset));
        assertEquals(64, Bytes.u8(outer.data(), outer.offset + Ipv6.HOP_LIMIT));
    }
}
