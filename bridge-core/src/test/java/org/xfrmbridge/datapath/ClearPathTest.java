package org.xfrmbridge.datapath;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;

import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.xfrmbridge.db.SocketPolicies.LocalEndpoint;
import org.xfrmbridge.io.PacketBuffer;
import org.xfrmbridge.xfrm.Address;
import org.xfrmbridge.xfrm.AddressFamily;
import org.xfrmbridge.xfrm.Direction;
import org.xfrmbridge.xfrm.IpProtocol;
import org.xfrmbridge.xfrm.Mark;
import org.xfrmbridge.xfrm.Mode;
import org.xfrmbridge.xfrm.PolicySpec;
import org.xfrmbridge.xfrm.Selector;

/** Packets that a host's stack got in the clear: judged as by the datapath in the wire, and kept by the stack. */
class ClearPathTest {
    private static final String SELF = "10.1.0.1";
    private static final String OTHER = "10.9.0.1";
    private static final Selector ALL = Selector.any(AddressFamily.INET);

    private final StackHost stack = new StackHost("192.0.2.1", SELF);
    private final TestHost host = stack.host;

    private static byte[] frame(String destination) {
        return Frames.udp("10.2.0.1", destination).inbound().frame();
    }

    private static Direction direction(String destination) {
        return destination.equals(SELF) ? Direction.IN : Direction.FWD;
    }

    /** The datapath in the wire says the same to the same frame. */
    private void assertJudged(DropReason reason, byte[] frame, String destination) {
        PacketBuffer buffer = StackHost.buffer(frame, 0, 0);
        long before = reason == null ? 0 : stack.stats.drops(reason);
        assertEquals(reason, stack.judge(direction(destination), buffer));
        assertArrayEquals(frame, StackHost.bytes(buffer), "the stack's");
        if (reason == null) {
            assertEquals(1, host.receive(frame).size());
        } else {
            assertEquals(before + 1, stack.stats.drops(reason));
            long inWire = host.drops(reason);
            assertEquals(0, host.receive(frame).size());
            assertEquals(inWire + 1, host.drops(reason));
        }
    }

    @ParameterizedTest
    @CsvSource({SELF, OTHER})
    void shouldSayWhatThePoliciesSay(String destination) {
        Direction direction = direction(destination);
        assertJudged(null, frame(destination), destination);
        host.spd.setDefaultAction(direction, PolicySpec.Action.BLOCK);
        assertJudged(DropReason.IN_NO_POLS, frame(destination), destination);
        host.policy(direction, ALL, Sas.template(Mode.TUNNEL, "192.0.2.2", "192.0.2.1"));
        assertJudged(DropReason.IN_TMPL_MISMATCH, frame(destination), destination);
        host.policy(direction, ALL, PolicySpec.Action.BLOCK, 5);
        assertJudged(DropReason.IN_POL_BLOCK, frame(destination), destination);
        host.policy(direction, ALL, PolicySpec.Action.ALLOW, 4);
        assertJudged(null, frame(destination), destination);
        host.network.disablePolicy(AddressFamily.INET);
        host.policy(direction, ALL, PolicySpec.Action.BLOCK, 3);
        assertJudged(null, frame(destination), destination);
    }

    @Test
    void shouldCountEachPacketOnce() {
        stack.judge(Direction.IN, StackHost.buffer(frame(SELF), 0, 0));
        host.policy(Direction.IN, ALL, PolicySpec.Action.BLOCK, 5);
        stack.judge(Direction.IN, StackHost.buffer(frame(SELF), 0, 0));
        stack.judge(Direction.IN, StackHost.buffer(frame(SELF), 0, 0));
        assertEquals(3, stack.stats.inbound(Metric.PACKETS));
        assertEquals(1, stack.stats.inbound(Metric.PASSED));
        assertEquals(2, stack.stats.inbound(Metric.DROPPED));
        assertEquals(1, stack.stats.inbound(Metric.FLOW_ENTRIES));
        long before = stack.stats.inbound(Metric.LOOKUPS);
        stack.judge(Direction.IN, StackHost.buffer(frame(SELF), 0, 0));
        assertEquals(before + 1, stack.stats.inbound(Metric.LOOKUPS), "a known flow costs one");
    }

    @Test
    void shouldHonourTheSocketsPolicy() {
        host.policy(Direction.IN, ALL, PolicySpec.Action.BLOCK, 5);
        LocalEndpoint at = new LocalEndpoint(AddressFamily.INET, IpProtocol.UDP, Address.ANY, 2222);
        host.sockets.setPolicy(
                "test", 1, at, TestHost.spec(Direction.IN, ALL, PolicySpec.Action.ALLOW, 0, PolicySpec.Type.MAIN), 1);
        assertJudged(null, frame(SELF), SELF);
    }

    @Test
    void shouldJudgeByMarkAndInterface() {
        host.spd.replace(
                PolicySpec.builder()
                        .selector(ALL)
                        .direction(Direction.IN)
                        .action(PolicySpec.Action.BLOCK)
                        .mark(new Mark(5, 0xff))
                        .build(),
                1);
        assertEquals(DropReason.IN_POL_BLOCK, stack.judge(Direction.IN, StackHost.buffer(frame(SELF), 0x105, 0)));
        assertNull(stack.judge(Direction.IN, StackHost.buffer(frame(SELF), 0x106, 0)));
        for (Direction direction : List.of(Direction.IN, Direction.FWD)) {
            host.policy(direction, Sas.between("0.0.0.0/0", "0.0.0.0/0", 0, 0, 6), PolicySpec.Action.BLOCK, 1);
        }
        assertNull(stack.judge(Direction.FWD, StackHost.buffer(frame(OTHER), 0, 5)));
        assertEquals(DropReason.IN_POL_BLOCK, stack.judge(Direction.FWD, StackHost.buffer(frame(OTHER), 0, 6)));
        assertNull(stack.judge(Direction.IN, StackHost.buffer(frame(SELF), 0, 6)), "loopback");
        assertEquals(0, host.network.outputsAsked());
    }

    private static byte[] error(String source, String destination, byte[] about) {
        byte[] icmp = new byte[8 + about.length];
        icmp[0] = 3;
        icmp[1] = 1;
        System.arraycopy(about, 0, icmp, 8, about.length);
        return Frames.udp(source, destination)
                .payload(IpProtocol.ICMP, icmp)
                .inbound()
                .frame();
    }

    /** What is said of protected packets must come protected, also from one who is in no tunnel's network. */
    @Test
    void shouldJudgeErrorsByWhatTheyAreAbout() {
        host.policy(
                Direction.FWD,
                Sas.between("10.1.0.0/16", "10.9.0.0/16"),
                Sas.template(Mode.TUNNEL, "192.0.2.2", "192.0.2.1"));
        byte[] about = Frames.udp(OTHER, "10.1.0.5").packet();
        assertJudged(DropReason.IN_TMPL_MISMATCH, error("203.0.113.1", OTHER, about), OTHER);
        byte[] other = Frames.udp(OTHER, "10.5.0.5").packet();
        assertJudged(null, error("203.0.113.1", OTHER, other), OTHER);
        host.policy(Direction.IN, ALL, Sas.template(Mode.TUNNEL, "192.0.2.2", "192.0.2.1"));
        byte[] own = Frames.udp(SELF, "10.5.0.5").packet();
        assertJudged(DropReason.IN_TMPL_MISMATCH, error("203.0.113.1", SELF, own), SELF);
    }

    @Test
    void shouldDropWhatShowsAFaultOfTheProgram() {
        PacketBuffer impossible = StackHost.buffer(frame(SELF), 0, 0);
        impossible.data = new byte[1];
        assertEquals(DropReason.FAULT, stack.judge(Direction.IN, impossible));
        assertEquals(1, stack.stats.inboundFaults());
        assertJudged(null, frame(SELF), SELF);
    }

    @Test
    void shouldDropWhatItCannotRead() {
        byte[] cut = Arrays.copyOf(frame(SELF), 30);
        assertEquals(DropReason.IN_HDR_ERROR, stack.judge(Direction.IN, StackHost.buffer(cut, 0, 0)));
        assertEquals(DropReason.IN_HDR_ERROR, stack.judge(Direction.IN, StackHost.buffer(new byte[60], 0, 0)));
        assertEquals(2, stack.stats.drops(DropReason.IN_HDR_ERROR));
    }
}
