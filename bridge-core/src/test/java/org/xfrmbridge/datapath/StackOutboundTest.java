package org.xfrmbridge.datapath;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.xfrmbridge.io.PacketBuffer;
import org.xfrmbridge.io.PacketPool;
import org.xfrmbridge.net.Bytes;
import org.xfrmbridge.net.Ethernet;
import org.xfrmbridge.net.Icmp;
import org.xfrmbridge.net.IpPacket;
import org.xfrmbridge.net.Ipv4;
import org.xfrmbridge.xfrm.AddressFamily;
import org.xfrmbridge.xfrm.Direction;
import org.xfrmbridge.xfrm.IpProtocol;
import org.xfrmbridge.xfrm.Mark;
import org.xfrmbridge.xfrm.Mode;
import org.xfrmbridge.xfrm.PolicySpec;
import org.xfrmbridge.xfrm.Selector;
import org.xfrmbridge.xfrm.StateSpecBuilder;

/** What becomes of packets that a host's stack gives to the datapath inside of it. */
class StackOutboundTest {
    private static final String[] NEAR = {"192.0.2.1", "2001:db8::1"};
    private static final String[] FAR = {"192.0.2.2", "2001:db8::2"};
    private static final String[] INNER = {"10.1.0.1", "fd01::1"};
    private static final String[] FAR_INNER = {"10.2.0.1", "fd02::1"};
    private static final String[] BEHIND = {"10.1.0.9", "fd01::9"};
    private static final Selector NET = Sas.between("10.1.0.0/16", "10.2.0.0/16");

    private final StackHost stack = new StackHost(NEAR[0], NEAR[1], INNER[0], INNER[1]);
    private final TestHost host = stack.host;
    private final TestHost peer = new TestHost(FAR[0], FAR[1], FAR_INNER[0], FAR_INNER[1]);

    private static PacketBuffer frame(String destination, int mark, int ifindex) {
        return StackHost.buffer(Frames.udp("10.1.0.1", destination).frame(), mark, ifindex);
    }

    private void block(Mark mark, Selector selector) {
        host.spd.replace(
                PolicySpec.builder()
                        .selector(selector)
                        .direction(Direction.OUT)
                        .action(PolicySpec.Action.BLOCK)
                        .mark(mark)
                        .priority(1)
                        .build(),
                1);
    }

    private void blockAt(int ifindex) {
        block(Mark.NONE, Sas.between("10.1.0.0/16", "10.0.0.0/8", 0, 0, ifindex));
    }

    @Test
    void shouldFindPoliciesByThePacketsMarkAndLetTheOthersKeepTheirs() {
        block(new Mark(5, 0xff), NET);
        assertEquals(0, stack.send(frame("10.2.0.1", 0x105, 0)).size());
        assertEquals(1, stack.stats.drops(DropReason.OUT_POL_BLOCK));
        PacketBuffer passed = stack.send(frame("10.2.0.1", 0x106, 3)).getFirst();
        assertEquals(0x106, passed.mark);
        assertEquals(3, passed.ifindex);
    }

    @ParameterizedTest(name = "{0}, set-mark {1}/{2}: {3}, interface {4}")
    @CsvSource({
        "TUNNEL, 0, 0, 0, 0",
        "TUNNEL, 0x77, 0xf0, 0x12375, 0",
        "TRANSPORT, 0, 0, 0x12345, 7",
        "TRANSPORT, 0x77, 0xf0, 0x12375, 7"
    })
    void shouldGiveTheOuterPacketTheMarkOfTheState(Mode mode, String value, String mask, String mark, int ifindex) {
        host.policy(Direction.OUT, Selector.any(AddressFamily.INET), Sas.template(mode, NEAR[0], FAR[0]));
        StateSpecBuilder spec = Sas.spec(mode, NEAR[0], FAR[0], 7);
        if (Integer.decode(mask) != 0) {
            spec.outputMark(new Mark(Integer.decode(value), Integer.decode(mask)));
        }
        host.sad.insert(Sas.state(spec));
        boolean transport = mode == Mode.TRANSPORT;
        Frames frames = Frames.udp(transport ? NEAR[0] : INNER[0], transport ? FAR[0] : FAR_INNER[0]);
        PacketBuffer outer =
                stack.send(StackHost.buffer(frames.frame(), 0x12345, 7)).getFirst();
        assertEquals(IpProtocol.ESP, Frames.view(StackHost.bytes(outer)).protocol);
        assertEquals(Integer.decode(mark), outer.mark);
        assertEquals(ifindex, outer.ifindex);
    }

    @Test
    void shouldFindTheOuterWayInTheVrfOfThePacket() {
        host.network.setVrf(7, 9);
        host.policy(Direction.OUT, Selector.any(AddressFamily.INET), Sas.template(Mode.TUNNEL, NEAR[0], FAR[0]));
        host.sad.insert(Sas.state(Sas.spec(Mode.TUNNEL, NEAR[0], FAR[0], 7)));
        assertEquals(9, stack.send(frame(FAR_INNER[0], 0, 7)).getFirst().ifindex);
        assertEquals(9, host.network.lastVrf());
        assertEquals(0, stack.send(frame(FAR_INNER[0], 0, 8)).getFirst().ifindex);
        assertEquals(0, host.network.lastVrf());
    }

    @Test
    void shouldAskForTheInterfaceOfAFlowOnceAndOnlyIfAPolicyNamesOne() {
        host.network.setOutputIndex("10.2.0.1", 5);
        host.policy(Direction.OUT, Sas.between("10.9.0.0/16", "10.9.0.0/16"));
        assertEquals(1, stack.send(frame("10.2.0.1", 0, 0)).size());
        assertEquals(0, host.network.outputsAsked());
        blockAt(5);
        assertEquals(0, stack.send(frame("10.2.0.1", 0, 0)).size());
        assertEquals(0, stack.send(frame("10.2.0.1", 0, 0)).size());
        assertEquals(1, host.network.outputsAsked());
        host.network.setOutputIndex("10.2.0.1", 6);
        assertEquals(1, stack.send(frame("10.2.0.1", 0, 0)).size());
        assertEquals(0, stack.send(frame("10.2.0.1", 0, 5)).size(), "it is about to leave there");
        assertEquals(2, host.network.outputsAsked());
    }

    /** As Linux 6.18 does: ip xfrm monitor acquire beside ping, ping -I, and a client behind the host. */
    @ParameterizedTest
    @CsvSource({
        "10.1.0.1, 10.2.0.1, 0, 5",
        "10.1.0.1, 10.2.0.1, 6, 6",
        "10.1.0.9, 10.2.0.1, 0, 5",
        "fd01::1, fd02::1, 0, 0",
        "fd01::1, fd02::1, 6, 6",
        "fd01::9, fd02::1, 0, 5"
    })
    void shouldAskForStatesWithTheInterfaceThatAKernelNames(String from, String to, int shown, int named) {
        host.network.setOutputIndex(to, 5);
        int family = to.contains(":") ? AddressFamily.INET6 : AddressFamily.INET;
        host.policy(Direction.OUT, Selector.any(family), Sas.template(Mode.TUNNEL, NEAR[0], FAR[0]));
        stack.send(StackHost.buffer(Frames.udp(from, to).frame(), 0, shown));
        assertEquals(List.of("acquire 192.0.2.2 192.0.2.1" + (named == 0 ? "" : " dev " + named)), host.told);
    }

    /** Each flow has its own, also where one is compared with a policy that has come. */
    @Test
    void shouldCompareEachFlowWithItsOwnInterface() {
        host.network.setOutputIndex("10.2.0.1", 5);
        host.network.setOutputIndex("10.3.0.1", 6);
        blockAt(9);
        assertEquals(
                2, stack.send(frame("10.2.0.1", 0, 0), frame("10.3.0.1", 0, 0)).size());
        blockAt(6);
        assertEquals(1, stack.send(frame("10.2.0.1", 0, 0)).size());
        assertEquals(0, stack.send(frame("10.3.0.1", 0, 0)).size());
        assertEquals(1, stack.send(frame("10.2.0.1", 0, 0)).size());
        blockAt(5);
        assertEquals(0, stack.send(frame("10.2.0.1", 0, 0)).size());
    }

    @Test
    void shouldGiveAPacketTheMarkOfItsFirstFragment() {
        block(new Mark(5, 0xff), Sas.between("10.1.0.0/16", "10.2.0.0/16", IpProtocol.UDP, 2222));
        byte[] whole = Frames.udp("10.1.0.1", "10.2.0.1").bytes(2000).frame();
        List<byte[]> fragments = ReassemblyTest.fragments(whole, 1500);
        PacketBuffer first = StackHost.buffer(fragments.getFirst(), 6, 8);
        PacketBuffer last = StackHost.buffer(fragments.getLast(), 5, 0);
        List<PacketBuffer> passed = stack.send(last, first);
        assertEquals(2, passed.size());
        passed.forEach(piece -> assertEquals(6, piece.mark));
        passed.forEach(piece -> assertEquals(8, piece.ifindex));
        first = StackHost.buffer(fragments.getFirst(), 5, 0);
        assertEquals(
                0,
                stack.send(StackHost.buffer(fragments.getLast(), 6, 0), first).size());
    }

    @Test
    void shouldAnswerForNoNeighbour() {
        host.policy(Direction.OUT, Selector.any(AddressFamily.INET), Sas.template(Mode.TUNNEL, NEAR[0], FAR[0]));
        byte[] arp = new byte[42];
        Bytes.putU16(arp, Ethernet.TYPE, Ethernet.TYPE_ARP);
        Bytes.putI64(arp, 14, 0x0001_0800_0604_0001L);
        Bytes.putI32(arp, 28, 0x0a01_0001);
        Bytes.putI32(arp, 38, 0x0a02_0001);
        assertEquals(0, stack.send(StackHost.buffer(arp, 0, 0)).size());
        assertEquals(List.of(), stack.answers);
        assertEquals(1, stack.stats.outbound(Metric.NOT_IP));
        host.send(arp);
        assertEquals(1, host.stack.drain().size(), "in the wire it is answered");
    }

    // Packets that pass and are longer than their way takes

    @Test
    void shouldDivideWhatPassesByTheMtuOfItsWay() {
        host.network.setMtu(1300);
        Frames frames = Frames.udp("10.1.0.9", "10.2.0.1").bytes(2000);
        List<PacketBuffer> sent = stack.send(StackHost.buffer(frames.frame(), 0x55, 0));
        assertEquals(2, sent.size());
        sent.forEach(piece -> assertEquals(0x55, piece.mark));
        assertWhole(frames.packet(), sent, 1300);
        assertEquals(1, stack.send(StackHost.buffer(frames.frame(), 0, 4)).size(), "it was about to leave already");
    }

    @ParameterizedTest(name = "IPv{0}")
    @CsvSource({"4", "6"})
    void shouldTellWhoSendsThroughTheHostWhatTheWayTakes(int family) {
        int i = family == 4 ? 0 : 1;
        host.network.setMtu(1300);
        host.network.setSource(family == 4 ? AddressFamily.INET : AddressFamily.INET6, INNER[i]);
        Frames frames = Frames.udp(BEHIND[i], FAR_INNER[i]).bytes(1400).dontFragment();
        assertEquals(0, stack.send(frames).size());
        assertEquals(1, stack.stats.drops(DropReason.OUT_ERROR));
        assertTold(host.network.drainSentAsHost().getFirst(), family, 1300);
    }

    @Test
    void shouldDivideTheStacksOwnDatagramsOfIpv6WithoutAWord() {
        Frames frames = Frames.udp(INNER[1], FAR_INNER[1]).bytes(3000);
        assertWhole(frames.packet(), stack.send(frames), 1500);
        assertEquals(List.of(), stack.answers);
    }

    // Packets that are longer than a tunnel takes

    private void protect(Mode mode, int inner, int outer) {
        int o = outer == 4 ? 0 : 1;
        Selector all = Selector.any(inner == 4 ? AddressFamily.INET : AddressFamily.INET6);
        host.policy(Direction.OUT, all, Sas.template(mode, NEAR[o], FAR[o]));
        peer.policy(Direction.IN, all, Sas.template(mode, NEAR[o], FAR[o]));
        for (TestHost each : List.of(host, peer)) {
            StateSpecBuilder spec = Sas.spec(mode, NEAR[o], FAR[o], 7);
            if (mode == Mode.BEET) {
                spec.flags(0).selector(Sas.between(INNER[0] + "/32", FAR_INNER[0] + "/32"));
            }
            each.sad.insert(Sas.state(spec));
        }
    }

    @ParameterizedTest(name = "{0} IPv{1} in IPv{2}, protocol {3}: told {4}")
    @CsvSource({
        "TUNNEL, 4, 4, 17, 1446",
        "TUNNEL, 4, 6, 17, 1426",
        "TUNNEL, 6, 4, 6, 1446",
        "TUNNEL, 6, 6, 6, 1426",
        "TUNNEL, 6, 6, 17, 0",
        "TRANSPORT, 4, 4, 17, 1466",
        "TRANSPORT, 6, 6, 6, 1466",
        "TRANSPORT, 6, 6, 17, 0",
        "BEET, 4, 4, 17, 1458"
    })
    void shouldTellTheStackAndYetSendItsOwn(Mode mode, int inner, int outer, int protocol, int told) {
        protect(mode, inner, outer);
        int i = inner == 4 ? 0 : 1;
        boolean transport = mode == Mode.TRANSPORT;
        Frames frames = Frames.udp(transport ? NEAR[i] : INNER[i], transport ? FAR[i] : FAR_INNER[i])
                .payload(protocol, new byte[1500 - (inner == 4 ? 20 : 40)])
                .dontFragment();
        List<PacketBuffer> sent = stack.send(StackHost.buffer(frames.frame(), 0x99, 0));
        assertEquals(2, sent.size(), stack.stats::toProcText);
        assertEquals(told == 0 ? 0 : 1, stack.answers.size());
        if (told != 0) {
            assertTold(Frames.packet(stack.answers.getFirst()), inner, told);
        }
        byte[][] wire = sent.stream().map(StackHost::bytes).toArray(byte[][]::new);
        for (int k = 0; k < wire.length; k++) {
            assertTrue(Frames.packet(wire[k]).length <= 1500);
            IpPacket sentPacket = Frames.view(wire[k]);
            boolean forbids = outer == 4 && Ipv4.dontFragment(sentPacket.data(), sentPacket.offset);
            boolean small = Frames.packet(wire[k]).length <= 1280;
            assertEquals(inner == 6 && outer == 4 && !small, forbids, "as its packet");
            assertEquals(transport ? 0x99 : 0, sent.get(k).mark);
        }
        List<byte[]> arrived = peer.receive(List.of(wire));
        assertTrue(arrived.size() > 0, peer.stats::toProcText);
        byte[] whole = arrived.size() == 1 ? Frames.packet(arrived.getFirst()) : whole(arrived);
        assertPayload(frames.packet(), whole);
    }

    @Test
    void shouldDropWhatIsForwardedAndTellItsSender() {
        protect(Mode.TUNNEL, 4, 4);
        host.network.setSource(AddressFamily.INET, INNER[0]);
        Frames frames = Frames.udp(BEHIND[0], FAR_INNER[0]).bytes(1450).dontFragment();
        assertEquals(0, stack.send(frames).size());
        assertEquals(1, stack.stats.drops(DropReason.OUT_STATE_MODE_ERROR));
        assertTold(host.network.drainSentAsHost().getFirst(), 4, 1446);
    }

    private static void assertTold(byte[] packet, int family, int mtu) {
        IpPacket icmp = Frames.view(Frames.framed(packet));
        int word = Bytes.u16(icmp.data(), icmp.payload);
        assertEquals(family == 4 ? 0x0304 : 0x0200, word);
        assertEquals(mtu, Bytes.i32(icmp.data(), icmp.payload + Icmp.MTU_V6));
    }

    private static void assertWhole(byte[] packet, List<PacketBuffer> pieces, int mtu) {
        List<byte[]> frames = pieces.stream().map(StackHost::bytes).toList();
        frames.forEach(piece -> assertTrue(Frames.packet(piece).length <= mtu));
        assertPayload(packet, whole(frames));
    }

    private static byte[] whole(List<byte[]> pieces) {
        Reassembly reassembly = new Reassembly(new PacketPool(4));
        PacketBuffer whole = null;
        for (byte[] piece : pieces) {
            whole = reassembly.add(Frames.view(piece), new SecPath(), 0);
        }
        return Frames.packet(StackHost.bytes(whole));
    }

    /** The same but for DF and what goes with it. */
    private static void assertPayload(byte[] sent, byte[] arrived) {
        byte[] a = sent.clone();
        byte[] b = arrived.clone();
        assertEquals(a.length, b.length);
        if (a[0] >>> 4 == 4) {
            assertEquals(0, Bytes.u16(b, Ipv4.FRAGMENT));
            for (byte[] each : List.of(a, b)) {
                Arrays.fill(each, Ipv4.ID, Ipv4.TTL, (byte) 0);
                Arrays.fill(each, Ipv4.CHECKSUM, Ipv4.SOURCE, (byte) 0);
            }
        }
        assertArrayEquals(a, b);
    }
}
