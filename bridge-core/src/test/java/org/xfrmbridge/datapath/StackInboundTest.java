package org.xfrmbridge.datapath;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.xfrmbridge.io.PacketBuffer;
import org.xfrmbridge.net.Bytes;
import org.xfrmbridge.net.Ethernet;
import org.xfrmbridge.net.IpPacket;
import org.xfrmbridge.net.Udp;
import org.xfrmbridge.xfrm.AddressFamily;
import org.xfrmbridge.xfrm.Direction;
import org.xfrmbridge.xfrm.IpProtocol;
import org.xfrmbridge.xfrm.Mark;
import org.xfrmbridge.xfrm.Mode;
import org.xfrmbridge.xfrm.PolicySpec;
import org.xfrmbridge.xfrm.Selector;
import org.xfrmbridge.xfrm.StateSpecBuilder;

/** What becomes of packets that the sockets of a datapath in the host's stack get. */
class StackInboundTest {
    private static final String PEER = "192.0.2.2";
    private static final String SELF = "192.0.2.1";

    private final StackHost stack = new StackHost(SELF, "10.1.0.1");
    private final TestHost host = stack.host;
    private final TestHost peer = new TestHost(PEER, "10.2.0.1");

    private void tunnel(Mark mark, Mark outputMark) {
        peer.policy(Direction.OUT, Selector.any(AddressFamily.INET), Sas.template(Mode.TUNNEL, PEER, SELF));
        peer.sad.insert(Sas.state(Sas.spec(Mode.TUNNEL, PEER, SELF, 7)));
        StateSpecBuilder spec = Sas.spec(Mode.TUNNEL, PEER, SELF, 7).mark(mark).outputMark(outputMark);
        host.sad.insert(Sas.state(spec));
        for (Direction direction : List.of(Direction.IN, Direction.FWD)) {
            host.policy(direction, Selector.any(AddressFamily.INET), Sas.template(Mode.TUNNEL, PEER, SELF));
        }
    }

    private byte[] sealed(String destination) {
        return peer.send(Frames.udp("10.2.0.1", destination).frame()).getFirst();
    }

    private int arrive(String destination) {
        return stack.receive(StackHost.arriving(sealed(destination), 0, 4)).size();
    }

    /** What is to be forwarded there would leave past the host's rules. */
    @Test
    void shouldHandOnByTheVrfThatThePacketCameInBy() {
        tunnel(Mark.NONE, null);
        assertEquals(
                0, stack.receive(StackHost.arriving(sealed("10.1.0.1"), 0, 4)).getFirst().ifindex);
        host.network.setVrf(4, 9);
        assertEquals(
                9, stack.receive(StackHost.arriving(sealed("10.1.0.1"), 0, 4)).getFirst().ifindex);
        assertEquals(0, arrive("10.9.0.1"));
        assertEquals(1, stack.stats.drops(DropReason.FWD_HDR_ERROR));
    }

    /** By which interface the stack gets what the peer sends, and what came as ESP by that one. */
    private int arrivalOf(Frames frames, int ifindex) {
        byte[] outer = peer.send(frames.frame()).getFirst();
        return stack.receive(StackHost.arriving(outer, 0, ifindex)).getFirst().ifindex;
    }

    private static Frames fromPeer() {
        return Frames.udp("10.2.0.1", "10.1.0.1");
    }

    private static Frames ping(String source, String destination, int type) {
        return Frames.udp(source, destination).payload(IpProtocol.ICMP, new byte[] {(byte) type, 0, 0, 0, 0, 1, 0, 1});
    }

    private void leave(Frames frames, int ifindex) {
        host.policy(Direction.OUT, Selector.any(AddressFamily.INET), Sas.template(Mode.TUNNEL, SELF, PEER));
        host.sad.insert(Sas.state(Sas.spec(Mode.TUNNEL, SELF, PEER, 8)));
        assertEquals(1, stack.send(StackHost.buffer(frames.frame(), 0, ifindex)).size());
    }

    /** Members of a group, and neighbours of a routing protocol, are those of one interface. */
    @Test
    void shouldHandOnByItsInterfaceWhatIsOfOneLink() {
        tunnel(Mark.NONE, null);
        Frames toGroup = Frames.udp("10.2.0.1", "224.0.0.5");
        assertEquals(0, arrivalOf(toGroup, 4), "where no other device takes it");
        host.network.setArrival(4);
        assertEquals(4, arrivalOf(toGroup, 4));
        assertEquals(4, arrivalOf(fromPeer().payload(IpProtocol.OSPF, new byte[44]), 4));
        assertEquals(0, arrivalOf(fromPeer(), 4));
        assertEquals(0, arrivalOf(toGroup, 5));
    }

    @Test
    void shouldHandOnByItsInterfaceWhatASocketThatIsBoundToItWaitsFor() {
        tunnel(Mark.NONE, null);
        host.network.setArrival(4);
        host.network.setBound(true);
        Frames question = Frames.udp("10.1.0.1", "10.2.0.1");
        question.sport = 2222;
        question.dport = 1111;
        leave(question, 4);
        assertEquals(4, arrivalOf(fromPeer(), 4));
        Frames toAnother = fromPeer();
        toAnother.dport = 2223;
        assertEquals(0, arrivalOf(toAnother, 4));
        host.network.setServedPort(2223);
        assertEquals(4, arrivalOf(toAnother, 4));
        host.network.setVrf(4, 9);
        assertEquals(9, arrivalOf(fromPeer(), 4));
    }

    @Test
    void shouldHandOnByItsInterfaceTheAnswersToAPingThatLeftByIt() {
        tunnel(Mark.NONE, null);
        host.network.setArrival(4);
        assertEquals(0, arrivalOf(ping("10.2.0.1", "10.1.0.1", 0), 4));
        leave(ping("10.1.0.1", "10.2.0.1", 8), 4);
        assertEquals(4, arrivalOf(ping("10.2.0.1", "10.1.0.1", 0), 4));
        assertEquals(0, arrivalOf(ping("10.2.0.1", "10.1.0.1", 8), 4));
        host.clock.advanceSeconds(17);
        assertEquals(4, arrivalOf(ping("10.2.0.1", "10.1.0.1", 0), 4));
        host.clock.advanceSeconds(18);
        assertEquals(0, arrivalOf(ping("10.2.0.1", "10.1.0.1", 0), 4), "another may have sent it since");
    }

    /** As where a rule of others leads the packets of a server out of the host. */
    @Test
    void shouldHandOnByTheTapWhatIsForSocketsThatAreNotBound() {
        tunnel(Mark.NONE, null);
        host.network.setArrival(4);
        Frames answer = Frames.udp("10.1.0.1", "10.2.0.1");
        answer.sport = 2222;
        answer.dport = 1111;
        leave(answer, 4);
        assertEquals(0, arrivalOf(fromPeer(), 4));
    }

    private void block(Direction direction, int ifindex) {
        host.policy(direction, Sas.between("0.0.0.0/0", "0.0.0.0/0", 0, 0, ifindex), PolicySpec.Action.BLOCK, 1);
    }

    /** The stack has it already; whether it may have it is asked elsewhere. */
    @ParameterizedTest
    @CsvSource({"10.1.0.1", "10.9.0.1"})
    void shouldKeepBackWhatCameThroughNoState(String destination) {
        byte[] frame = Frames.udp("10.2.0.1", destination)
                .payload(IpProtocol.TCP, new byte[20])
                .inbound()
                .frame();
        assertEquals(0, stack.receive(StackHost.buffer(frame, 0, 4)).size());
        block(Direction.IN, 0);
        block(Direction.FWD, 0);
        assertEquals(0, stack.receive(StackHost.buffer(frame, 0, 4)).size());
        byte[] arp = new byte[60];
        Bytes.putU16(arp, Ethernet.TYPE, Ethernet.TYPE_ARP);
        assertEquals(0, stack.receive(StackHost.buffer(arp, 0, 4)).size());
        assertEquals(2, stack.stats.inbound(Metric.CONSUMED));
        assertEquals(1, stack.stats.inbound(Metric.NOT_IP));
        assertEquals(0, stack.stats.inbound(Metric.DROPPED) + stack.stats.inbound(Metric.PASSED));
    }

    /** It came by the port of ESP in UDP, and the socket behind that opens none. */
    @Test
    void shouldGiveADatagramBackThatNoSocketWantsOpened() {
        byte[] frame = Frames.udp("10.2.0.1", "10.1.0.1").inbound().frame();
        Bytes.putU16(frame, Ethernet.HEADER_BYTES + 20 + Udp.CHECKSUM, 0);
        byte[] arrived =
                StackHost.bytes(stack.receive(StackHost.buffer(frame, 0, 4)).getFirst());
        assertArrayEquals(Frames.udp("10.2.0.1", "10.1.0.1").packet(), Frames.packet(arrived));
        block(Direction.IN, 0);
        assertEquals(0, stack.receive(StackHost.buffer(frame, 0, 4)).size());
        assertEquals(1, stack.stats.drops(DropReason.IN_POL_BLOCK));
    }

    @ParameterizedTest(name = "State of {0}/{1}, set-mark {2}/{3}: {4}")
    @CsvSource({"0, 0, 0, 0, 0x12345", "0x5, 0xf, 0x77, 0xf0, 0x12375", "0x6, 0xf, 0, 0, "})
    void shouldFindStatesByTheMarkAndHandItOn(String value, String mask, String set, String setMask, String mark) {
        Mark output = Integer.decode(setMask) == 0 ? null : new Mark(Integer.decode(set), Integer.decode(setMask));
        tunnel(new Mark(Integer.decode(value), Integer.decode(mask)), output);
        List<PacketBuffer> arrived = stack.receive(StackHost.arriving(sealed("10.1.0.1"), 0x12345, 4));
        if (mark == null) {
            assertEquals(1, stack.stats.drops(DropReason.IN_NO_STATES));
            return;
        }
        assertEquals(Integer.decode(mark), arrived.getFirst().mark);
        assertArrayEquals(
                Frames.udp("10.2.0.1", "10.1.0.1").packet(), Frames.packet(StackHost.bytes(arrived.getFirst())));
    }

    @Test
    void shouldJudgeByTheMarkThatAPacketHasBehindItsState() {
        tunnel(Mark.NONE, new Mark(0x70, 0xf0));
        host.spd.replace(
                PolicySpec.builder()
                        .selector(Selector.any(AddressFamily.INET))
                        .direction(Direction.IN)
                        .action(PolicySpec.Action.BLOCK)
                        .mark(new Mark(0x73, 0xff))
                        .priority(1)
                        .build(),
                1);
        assertEquals(
                0, stack.receive(StackHost.arriving(sealed("10.1.0.1"), 3, 4)).size());
        assertEquals(1, stack.stats.drops(DropReason.IN_POL_BLOCK));
        assertEquals(
                1, stack.receive(StackHost.arriving(sealed("10.1.0.1"), 4, 4)).size());
    }

    /** Asked of Linux 6.18: a packet to the host has loopback as interface, whichever it came by. */
    @Test
    void shouldSeeWhatComesToTheHostAtLoopback() {
        tunnel(Mark.NONE, null);
        block(Direction.IN, 4);
        assertEquals(1, arrive("10.1.0.1"));
        block(Direction.IN, FlowInterfaces.LOOPBACK);
        assertEquals(0, arrive("10.1.0.1"));
        assertEquals(0, host.network.outputsAsked());
    }

    /** And one that is forwarded the interface by which it leaves. */
    @Test
    void shouldSeeWhatIsForwardedWhereItLeaves() {
        tunnel(Mark.NONE, null);
        host.network.setOutputIndex("10.9.0.1", 6);
        host.network.setOutputIndex("10.9.0.2", 5);
        assertEquals(2, arrive("10.9.0.1") + arrive("10.9.0.2"));
        assertEquals(0, host.network.outputsAsked());
        block(Direction.FWD, 4);
        assertEquals(2, arrive("10.9.0.1") + arrive("10.9.0.2"));
        block(Direction.FWD, 6);
        assertEquals(0, arrive("10.9.0.1"));
        assertEquals(1, arrive("10.9.0.2"));
        host.network.setOutputIndex("10.9.0.1", 5);
        assertEquals(1, arrive("10.9.0.1"));
    }

    @Test
    void shouldLearnThePathMtuFromIcmpThatTheStackHasToo() {
        StateSpecBuilder spec = Sas.spec(Mode.TUNNEL, SELF, PEER, 9).mark(new Mark(5, 0xff));
        host.sad.insert(Sas.state(spec));
        host.policy(Direction.OUT, Selector.any(AddressFamily.INET), Sas.template(Mode.TUNNEL, SELF, PEER));
        byte[] outer = Frames.udp(SELF, PEER)
                .payload(IpProtocol.ESP, new byte[] {0, 0, 0, 9, 0, 0, 0, 1})
                .frame();
        IpPacket packet = Frames.view(outer);
        PacketBuffer answer = new PacketBuffer();
        PacketTooBig.answer(packet, 1300, answer);
        byte[] icmp = Arrays.copyOfRange(answer.data, answer.offset, answer.offset + answer.length);
        int before = stack.pathMtu().generation();
        assertEquals(0, stack.receive(StackHost.arriving(icmp, 4, 4)).size());
        assertEquals(before, stack.pathMtu().generation(), "no State of that mark");
        assertEquals(0, stack.receive(StackHost.arriving(icmp, 5, 4)).size());
        assertEquals(before + 1, stack.pathMtu().generation());
        assertEquals(2, stack.stats.inbound(Metric.CONSUMED));
    }
}
