package org.xfrmbridge.datapath;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.xfrmbridge.xfrm.Direction;
import org.xfrmbridge.xfrm.IpProtocol;
import org.xfrmbridge.xfrm.Mode;
import org.xfrmbridge.xfrm.PolicySpec;
import org.xfrmbridge.xfrm.Selector;
import org.xfrmbridge.xfrm.StateFlags;
import org.xfrmbridge.xfrm.StateSpecBuilder;

/**
 * ICMP errors that a gateway forwards, sent by a router that is in no tunnel's network. Linux 6.8 and later relates
 * them to the packets that they are about ({@code xfrm_out_fwd_icmp}, {@code xfrm_in_fwd_icmp}).
 */
class ForwardedIcmpErrorTest {
    private static final String[] GATEWAYS = {"192.0.2.1", "192.0.2.2"};
    private static final String[] ROUTERS = {"203.0.113.1", "2001:db8:f::1"};
    private static final Selector TO_RIGHT = Sas.between("10.1.0.0/16", "10.2.0.0/16");

    private final TestHost left = new TestHost(GATEWAYS[0]);
    private final TestHost right = new TestHost(GATEWAYS[1]);

    private static StateSpecBuilder spec() {
        return Sas.spec(Mode.TUNNEL, GATEWAYS[0], GATEWAYS[1], 7);
    }

    private void policy(TestHost host, Direction direction, Selector selector, int flags) {
        var templates = List.of(Sas.template(Mode.TUNNEL, GATEWAYS[0], GATEWAYS[1]));
        host.spd.replace(
                PolicySpec.builder()
                        .selector(selector)
                        .priority(1)
                        .direction(direction)
                        .flags(flags)
                        .templates(templates)
                        .build(),
                1);
    }

    /** From a router near the left network to a host in the right one, about a packet of that host's. */
    private static Frames error(int type) {
        return error(
                ROUTERS[0],
                "10.2.0.9",
                IpProtocol.ICMP,
                type,
                Frames.udp("10.2.0.9", "10.1.0.5").packet());
    }

    private static Frames error(String from, String to, int protocol, int type, byte[] about) {
        byte[] icmp = new byte[8 + about.length];
        icmp[0] = (byte) type;
        System.arraycopy(about, 0, icmp, 8, about.length);
        return Frames.udp(from, to).payload(protocol, icmp);
    }

    @ParameterizedTest(name = "flags {0}, type {1}")
    @CsvSource({"2, 3, 50", "2, 11, 50", "0, 3, 1", "2, 5, 1", "2, 12, 1", "2, 8, 1"})
    void shouldEnterTheTunnelOfThePacketUnderThePolicysFlag(int flags, int type, int sent) {
        left.sad.insert(Sas.state(spec()));
        policy(left, Direction.OUT, TO_RIGHT, flags);
        assertEquals(sent, Frames.view(left.send(error(type).frame()).getFirst()).protocol);
    }

    @ParameterizedTest(name = "type {0}")
    @CsvSource({"1, 50", "2, 50", "3, 50", "4, 58", "128, 58"})
    void shouldEnterTheTunnelInIpv6(int type, int sent) {
        left.sad.insert(Sas.state(spec()));
        policy(left, Direction.OUT, Sas.between("fd01::/16", "fd02::/16"), PolicySpec.ICMP);
        byte[] about = Frames.udp("fd02::9", "fd01::5").packet();
        byte[] frame =
                error(ROUTERS[1], "fd02::9", IpProtocol.ICMPV6, type, about).frame();
        assertEquals(sent, Frames.view(left.send(frame).getFirst()).protocol);
    }

    /** The policy of its own flow comes first; what is to be protected does not go in the clear for want of a State. */
    @Test
    void shouldNotPassWhereItIsBlockedOrNoStateIsThereYet() {
        policy(left, Direction.OUT, TO_RIGHT, PolicySpec.ICMP);
        assertEquals(0, left.send(error(3).frame()).size());
        assertEquals(1, left.drops(DropReason.OUT_NO_STATES));
        assertEquals(1, left.told.size(), "an acquire");
        left.sad.insert(Sas.state(spec()));
        left.policy(Direction.OUT, Sas.between(ROUTERS[0] + "/32", "0.0.0.0/0"), PolicySpec.Action.BLOCK, 5);
        assertEquals(0, left.send(error(3).frame()).size());
        assertEquals(1, left.drops(DropReason.OUT_POL_BLOCK));
    }

    private void connect(Selector selector, int flags) {
        left.sad.insert(Sas.state(spec()));
        left.policy(Direction.OUT, Selector.any(2), Sas.template(Mode.TUNNEL, GATEWAYS[0], GATEWAYS[1]));
        StateSpecBuilder receiving =
                spec().selector(selector).flags(flags | (selector.family() == 0 ? StateFlags.AF_UNSPEC : 0));
        right.sad.insert(Sas.state(receiving));
        policy(right, Direction.FWD, TO_RIGHT, 0);
    }

    private void assertArrives(DropReason reason, int type) {
        byte[] packet = error(type).packet();
        List<byte[]> arrived = right.receive(left.send(error(type).frame()));
        assertEquals(reason == null ? 1 : 0, arrived.size(), right.stats::toProcText);
        if (reason == null) {
            assertArrayEquals(packet, Frames.packet(arrived.getFirst()));
        } else {
            assertEquals(1, right.drops(reason), right.stats::toProcText);
        }
    }

    @ParameterizedTest(name = "type {0}")
    @CsvSource({"3, ", "11, ", "5, IN_NO_POLS", "8, IN_NO_POLS"})
    void shouldComeOutOfTheTunnelUnderThePolicyOfThePacket(int type, DropReason reason) {
        connect(spec().selector(), 0);
        assertArrives(reason, type);
    }

    @ParameterizedTest(name = "flags {0} type {1}")
    @CsvSource({"16, 3, ", "16, 11, ", "0, 3, IN_STATE_MISMATCH", "16, 5, IN_STATE_MISMATCH"})
    void shouldPassTheStatesSelectorUnderItsFlag(int flags, int type, DropReason reason) {
        connect(TO_RIGHT, flags);
        assertArrives(reason, type);
    }

    /** What is said of protected packets must come protected. */
    @Test
    void shouldNotComeInTheClearAboutPacketsThatAreProtected() {
        policy(right, Direction.FWD, TO_RIGHT, 0);
        byte[] clear = error(3).inbound().frame();
        assertEquals(0, right.receive(clear).size());
        assertEquals(1, right.drops(DropReason.IN_TMPL_MISMATCH));
        byte[] other = error(
                        ROUTERS[0],
                        "10.2.0.9",
                        IpProtocol.ICMP,
                        3,
                        Frames.udp("10.2.0.9", "10.9.0.5").packet())
                .inbound()
                .frame();
        assertEquals(1, right.receive(other).size());
        byte[] cut = Arrays.copyOf(clear, clear.length);
        cut[14 + 20 + 8] = 0;
        assertEquals(1, right.receive(cut).size(), "it quotes no packet");
    }
}
