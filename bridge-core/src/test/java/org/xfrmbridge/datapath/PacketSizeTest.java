package org.xfrmbridge.datapath;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.xfrmbridge.esp.DeflateCodec;
import org.xfrmbridge.io.PacketBuffer;
import org.xfrmbridge.io.PacketPool;
import org.xfrmbridge.net.Bytes;
import org.xfrmbridge.net.Checksum;
import org.xfrmbridge.net.Icmp;
import org.xfrmbridge.net.IpPacket;
import org.xfrmbridge.xfrm.AddressFamily;
import org.xfrmbridge.xfrm.Direction;
import org.xfrmbridge.xfrm.IpProtocol;
import org.xfrmbridge.xfrm.Mode;
import org.xfrmbridge.xfrm.PolicySpec;
import org.xfrmbridge.xfrm.Selector;
import org.xfrmbridge.xfrm.State;
import org.xfrmbridge.xfrm.Template;

/** Packets that are too long, path MTUs, and fragments both ways. */
class PacketSizeTest {
    private static final String[] NEAR = {"192.0.2.1", "2001:db8::1"};
    private static final String[] FAR = {"192.0.2.2", "2001:db8::2"};
    private static final String[] INNER = {"10.1.0.1", "fd01::1"};
    private static final String[] FAR_INNER = {"10.2.0.1", "fd02::1"};

    private final TestHost host = new TestHost(NEAR[0], NEAR[1], INNER[0], INNER[1]);
    private final TestHost peer = new TestHost(FAR[0], FAR[1], FAR_INNER[0], FAR_INNER[1]);

    /** Families as 4 and 6. */
    private State protect(Mode mode, int inner, int outer) {
        String near = NEAR[outer == 4 ? 0 : 1];
        String far = FAR[outer == 4 ? 0 : 1];
        Selector all = Selector.any(inner == 4 ? AddressFamily.INET : AddressFamily.INET6);
        host.policy(Direction.OUT, all, Sas.template(mode, near, far));
        peer.policy(Direction.IN, all, Sas.template(mode, near, far));
        State state = Sas.state(Sas.spec(mode, near, far, 7));
        host.sad.insert(state);
        peer.sad.insert(Sas.state(Sas.spec(mode, near, far, 7)));
        return state;
    }

    private static Frames udp(Mode mode, int inner, int packetBytes) {
        int i = inner == 4 ? 0 : 1;
        boolean transport = mode == Mode.TRANSPORT;
        int headerBytes = inner == 4 ? 28 : 48;
        return Frames.udp(transport ? NEAR[i] : INNER[i], transport ? FAR[i] : FAR_INNER[i])
                .bytes(packetBytes - headerBytes);
    }

    /**
     * The longest inner packets of a 1500-byte link: what {@code xfrm_state_mtu} gives for AES-GCM with 16 bytes of
     * ICV.
     */
    @ParameterizedTest(name = "{0} IPv{1} in IPv{2}: {3}")
    @CsvSource({
        "TUNNEL, 4, 4, 1446",
        "TUNNEL, 4, 6, 1426",
        "TUNNEL, 6, 6, 1426",
        "TUNNEL, 6, 4, 1446",
        "TRANSPORT, 4, 4, 1466",
        "TRANSPORT, 6, 6, 1466"
    })
    void shouldTellTheSenderExactlyHowLongAPacketMayBe(Mode mode, int inner, int outer, int mtu) {
        protect(mode, inner, outer);
        Frames fits = udp(mode, inner, mtu).dontFragment();
        List<byte[]> wire = host.send(fits.frame());
        assertEquals(1, wire.size(), host.stats::toProcText);
        assertTrue(Frames.packet(wire.getFirst()).length <= 1500 && Frames.packet(wire.getFirst()).length > 1496);
        assertEquals(0, host.stack.drain().size());

        Frames tooLong = udp(mode, inner, mtu + 1).dontFragment();
        assertEquals(0, host.send(tooLong.frame()).size());
        assertTooBig(host.stack.drain().getFirst(), tooLong, mtu);
        assertEquals(1, host.drops(DropReason.OUT_STATE_MODE_ERROR));
    }

    private static void assertTooBig(byte[] answer, Frames tooLong, int mtu) {
        IpPacket icmp = Frames.view(answer);
        byte[] data = icmp.data();
        boolean v4 = tooLong.isIpv4();
        assertEquals(v4 ? IpProtocol.ICMP : IpProtocol.ICMPV6, icmp.protocol);
        assertEquals(v4 ? 0x0304 : 0x0200, Bytes.u16(data, icmp.payload));
        assertEquals(
                mtu, v4 ? Bytes.u16(data, icmp.payload + Icmp.MTU_V4) : Bytes.i32(data, icmp.payload + Icmp.MTU_V6));
        long pseudo = v4 ? 0 : Checksum.pseudoHeader(icmp, IpProtocol.ICMPV6, icmp.payloadBytes());
        assertTrue(Checksum.isIntact(Checksum.add(pseudo, data, icmp.payload, icmp.payloadBytes())));
        byte[] quoted = tooLong.packet();
        int quotedBytes = icmp.payloadBytes() - Icmp.HEADER_BYTES;
        assertArrayEquals(
                Arrays.copyOf(quoted, quotedBytes),
                Arrays.copyOfRange(data, icmp.payload + Icmp.HEADER_BYTES, icmp.end()));
        assertEquals(Math.min(quoted.length, v4 ? 548 : 1232), quotedBytes);
    }

    @Test
    void shouldNotAnswerAnErrorWithAnError() {
        protect(Mode.TUNNEL, 4, 4);
        byte[] error = new byte[1460];
        error[0] = Icmp.DESTINATION_UNREACHABLE;
        assertEquals(
                0,
                host.send(Frames.udp(INNER[0], FAR_INNER[0])
                                .payload(IpProtocol.ICMP, error)
                                .dontFragment()
                                .frame())
                        .size());
        assertEquals(0, host.stack.drain().size());
    }

    @ParameterizedTest(name = "{0} IPv{1} in IPv{2}")
    @CsvSource({"TUNNEL, 4, 4", "TUNNEL, 4, 6", "TRANSPORT, 4, 4"})
    void shouldFragmentTheOuterPacketWhereTheInnerMayBe(Mode mode, int inner, int outer) {
        State state = protect(mode, inner, outer);
        Frames frames = udp(mode, inner, 4000);
        List<byte[]> wire = host.send(frames.frame());
        assertEquals(3, wire.size());
        wire.forEach(frame -> assertTrue(Frames.packet(frame).length <= 1500 && Frames.view(frame).fragment));
        assertEquals(1, state.usage().packets());
        Collections.reverse(wire);
        List<byte[]> arrived = peer.receive(wire);
        assertEquals(1, arrived.size(), peer.stats::toProcText);
        assertArrayEquals(frames.packet(), Frames.packet(arrived.getFirst()));
    }

    @ParameterizedTest(name = "{0} IPv{1} in IPv{2}")
    @CsvSource({"TUNNEL, 4, 4", "TUNNEL, 4, 6", "TRANSPORT, 4, 4", "TRANSPORT, 6, 6"})
    void shouldPutFragmentsOfTheHostTogetherBeforeProtectingThem(Mode mode, int inner, int outer) {
        State state = protect(mode, inner, outer);
        Frames frames = udp(mode, inner, 5000);
        List<byte[]> wire =
                host.send(ReassemblyTest.fragments(frames.frame(), 1500).toArray(new byte[0][]));
        assertEquals(1, state.usage().packets(), host.stats::toProcText);
        List<byte[]> arrived = peer.receive(wire);
        assertEquals(1, arrived.size(), peer.stats::toProcText);
        assertArrayEquals(frames.packet(), Frames.packet(arrived.getFirst()));
    }

    @ParameterizedTest(name = "IPv6 in IPv{0}")
    @CsvSource({"4", "6"})
    void shouldSendIpv6ThatCameInFragmentsThroughTheTunnelInFragments(int outer) {
        State state = protect(Mode.TUNNEL, 6, outer);
        Frames frames = udp(Mode.TUNNEL, 6, 5000);
        List<byte[]> wire =
                host.send(ReassemblyTest.fragments(frames.frame(), 1500).toArray(new byte[0][]));
        wire.forEach(frame -> assertTrue(Frames.packet(frame).length <= 1500 && !Frames.view(frame).fragment));
        assertEquals(wire.size(), state.usage().packets());
        List<byte[]> arrived = peer.receive(wire);
        arrived.forEach(frame -> assertTrue(Frames.packet(frame).length <= 1500 && Frames.view(frame).fragment));
        Reassembly reassembly = new Reassembly(new PacketPool(8));
        PacketBuffer whole = null;
        for (byte[] frame : arrived) {
            whole = reassembly.add(Frames.view(frame), new SecPath(), 0);
        }
        byte[] packet = Arrays.copyOfRange(whole.data, whole.offset + 14, whole.offset + whole.length);
        assertArrayEquals(frames.packet(), packet);
    }

    @Test
    void shouldSendSmallIpv6PacketsInFragmentsWhenEvenTheyDoNotFit() {
        protect(Mode.TUNNEL, 6, 4);
        host.network.setMtu(1300);
        Frames frames = udp(Mode.TUNNEL, 6, 1280);
        List<byte[]> wire = host.send(frames.frame());
        assertEquals(2, wire.size());
        assertArrayEquals(frames.packet(), Frames.packet(peer.receive(wire).getFirst()));
        Frames tooLong = udp(Mode.TUNNEL, 6, 1281);
        assertEquals(0, host.send(tooLong.frame()).size());
        assertTooBig(host.stack.drain().getFirst(), tooLong, 1280);
    }

    @ParameterizedTest(name = "IPv{0}")
    @CsvSource({"4", "6"})
    void shouldCheckThePolicyOfAWholePacketAndPassItInFragments(int family) {
        int any = family == 4 ? AddressFamily.INET : AddressFamily.INET6;
        String source = family == 4 ? INNER[0] + "/32" : INNER[1] + "/128";
        String destination = family == 4 ? FAR_INNER[0] + "/32" : FAR_INNER[1] + "/128";
        byte[] frame = udp(Mode.TUNNEL, family, 3000).frame();
        byte[][] fragments = ReassemblyTest.fragments(frame, 1500).toArray(new byte[0][]);
        host.policy(Direction.OUT, Selector.any(any), PolicySpec.Action.BLOCK, 10);
        assertEquals(0, host.send(fragments).size());
        assertEquals(1, host.drops(DropReason.OUT_POL_BLOCK), "one packet, however many fragments");
        host.policy(Direction.OUT, Sas.between(source, destination, IpProtocol.UDP, 2222), PolicySpec.Action.ALLOW, 1);
        List<byte[]> passed = host.send(fragments);
        assertEquals(fragments.length, passed.size());
        for (int i = 0; i < fragments.length; i++) {
            assertEquals(fragments[i].length, passed.get(i).length);
        }
        List<byte[]> arrived = peer.receive(passed);
        assertEquals(
                fragments.length, arrived.size(), "inbound, too, one packet was checked and passed on in fragments");
        assertEquals(1, peer.stats.inbound(Metric.PASSED));
    }

    @Test
    void shouldNotMixFragmentsOfTheTunnelWithFragmentsInTheClear() {
        protect(Mode.TUNNEL, 4, 4);
        List<byte[]> fragments =
                ReassemblyTest.fragments(udp(Mode.TUNNEL, 4, 2000).frame(), 1200);
        byte[] protectedHalf = sealed(Frames.packet(fragments.getFirst()));
        assertEquals(0, peer.receive(List.of(fragments.getLast())).size());
        assertEquals(
                0,
                peer.receive(List.of(protectedHalf)).size(),
                "half came protected, half in the clear: never a whole");
        assertEquals(2, peer.stats.inbound(Metric.FRAGMENTS));
        assertEquals(
                0,
                peer.stats.inbound(Metric.PASSED)
                        + peer.stats.inbound(Metric.PROTECTED)
                        + peer.stats.inbound(Metric.DROPPED));
    }

    /** The whole way counts, not where it ends: ESP around what an IPComp tunnel sent as it is, and that alone. */
    @Test
    void shouldNotMixFragmentsOfWhichOneLacksTheEspAround() {
        State esp = Sas.state(Sas.spec(Mode.TRANSPORT, NEAR[0], FAR[0], 7));
        peer.sad.insert(Sas.state(Sas.spec(Mode.TRANSPORT, NEAR[0], FAR[0], 7)));
        peer.sad.insert(Sas.ipip(Sas.spec(Mode.TUNNEL, NEAR[0], FAR[0], 1)));
        Template comp = Sas.of(IpProtocol.COMP, Sas.template(Mode.TUNNEL, NEAR[0], FAR[0], 1, true));
        Template around = Sas.template(Mode.TRANSPORT, NEAR[0], FAR[0]);
        peer.policy(Direction.IN, Selector.any(AddressFamily.INET), comp, around);
        List<byte[]> fragments =
                ReassemblyTest.fragments(udp(Mode.TUNNEL, 4, 2000).frame(), 1200);
        Frames clear = Frames.udp(NEAR[0], FAR[0]).payload(IpProtocol.IPIP, Frames.packet(fragments.getFirst()));
        Frames covered = Frames.udp(NEAR[0], FAR[0]).payload(IpProtocol.IPIP, Frames.packet(fragments.getLast()));
        assertEquals(0, peer.receive(List.of(clear.frame())).size());
        assertEquals(0, peer.receive(List.of(sealed(covered.packet(), esp))).size(), "half of it came in the clear");
        assertEquals(0, peer.stats.inbound(Metric.PROTECTED));
    }

    /** Rekeying must cost no packet, be it in pieces. */
    @Test
    void shouldPutFragmentsTogetherThatCameThroughTheStatesBeforeAndAfterRekeying() {
        protect(Mode.TUNNEL, 4, 4);
        peer.sad.insert(Sas.state(Sas.spec(Mode.TUNNEL, NEAR[0], FAR[0], 8)));
        Frames frames = udp(Mode.TUNNEL, 4, 2000);
        List<byte[]> fragments = ReassemblyTest.fragments(frames.frame(), 1200);
        byte[] before = sealed(Frames.packet(fragments.getFirst()));
        byte[] after = sealed(Frames.packet(fragments.getLast()), Sas.state(Sas.spec(Mode.TUNNEL, NEAR[0], FAR[0], 8)));
        assertEquals(2, peer.receive(List.of(before, after)).size(), peer.stats::toProcText);
        assertEquals(1, peer.stats.inbound(Metric.PROTECTED));
    }

    /**
     * A frame with any packet inside the tunnel, a fragment too, which our own outbound path would first put together.
     */
    private static byte[] sealed(byte[] inner) {
        return sealed(inner, Sas.state(Sas.spec(Mode.TUNNEL, NEAR[0], FAR[0], 7)));
    }

    private static byte[] sealed(byte[] inner, State state) {
        PacketBuffer buffer = new PacketBuffer();
        buffer.length = 14 + inner.length;
        Bytes.putU16(buffer.data, buffer.offset + 12, 0x0800);
        System.arraycopy(inner, 0, buffer.data, buffer.offset + 14, inner.length);
        IpPacket packet = new IpPacket();
        packet.parse(buffer);
        packet.keepLink();
        BundleStep step = BundleStep.of(state, AddressFamily.INET, new Identifications(0, 1), new DeflateCodec());
        assertNull(step.apply(packet, new TestHost(), 1));
        packet.restoreLink();
        return Arrays.copyOfRange(buffer.data, buffer.offset, buffer.offset + buffer.length);
    }

    @ParameterizedTest(name = "IPv{0}")
    @CsvSource({"4, 1400", "6, 1400"})
    void shouldLearnThePathMtuFromIcmpAboutOurEsp(int outer, int mtu) {
        protect(Mode.TUNNEL, 4, outer);
        Frames frames = udp(Mode.TUNNEL, 4, mtu).dontFragment();
        byte[] sealed = host.send(frames.frame()).getFirst();
        byte[] icmp = tooBig(sealed, mtu);
        assertEquals(1, host.receive(icmp).size(), "the host hears it too");
        assertEquals(0, host.send(frames.frame()).size());
        assertTooBig(host.stack.drain().getFirst(), frames, learnedMtu(outer, mtu));
        host.clock.advanceNs(PathMtu.LIFETIME_NS);
        assertEquals(1, host.send(frames.frame()).size());
    }

    private static int learnedMtu(int outer, int mtu) {
        int room = mtu - (outer == 4 ? 20 : 40) - 16 - 16;
        return (room & -4) - 2;
    }

    @Test
    void shouldNotLearnFromIcmpAboutWhatWeDoNotSend() {
        protect(Mode.TUNNEL, 4, 4);
        Frames frames = udp(Mode.TUNNEL, 4, 1400).dontFragment();
        byte[] sealed = host.send(frames.frame()).getFirst();
        Bytes.putI32(sealed, 34, 99);
        host.receive(tooBig(sealed, 600));
        assertEquals(1, host.send(frames.frame()).size());
    }

    @Test
    void shouldNotLearnLessThanTheFloor() {
        protect(Mode.TUNNEL, 4, 4);
        byte[] sealed =
                host.send(udp(Mode.TUNNEL, 4, 1400).dontFragment().frame()).getFirst();
        host.receive(tooBig(sealed, 68));
        Frames frames = udp(Mode.TUNNEL, 4, 1400).dontFragment();
        assertEquals(0, host.send(frames.frame()).size());
        assertTooBig(host.stack.drain().getFirst(), frames, learnedMtu(4, PathMtu.MIN_IPV4_BYTES));
    }

    /** What a router would say to a frame of ours. */
    private static byte[] tooBig(byte[] frame, int mtu) {
        IpPacket packet = Frames.view(frame);
        PacketBuffer answer = new PacketBuffer();
        PacketTooBig.answer(packet, mtu, answer);
        byte[] icmp = Arrays.copyOfRange(answer.data, answer.offset, answer.offset + answer.length);
        System.arraycopy(Frames.udp(FAR[0], NEAR[0]).inbound().frame(), 0, icmp, 0, 12);
        return icmp;
    }
}
