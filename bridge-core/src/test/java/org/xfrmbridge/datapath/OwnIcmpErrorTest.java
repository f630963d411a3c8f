package org.xfrmbridge.datapath;

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
import org.xfrmbridge.xfrm.Template;

/**
 * A gateway answers a packet from the other network with an ICMP error, from an address that is in no tunnel: under
 * XFRM_POLICY_ICMP the error goes the way that answers to the packet would go.
 */
class OwnIcmpErrorTest {
    private static final String GATEWAY = "192.0.2.1";
    private static final String PEER = "192.0.2.2";

    private final TestHost host = new TestHost(GATEWAY);

    OwnIcmpErrorTest() {
        host.sad.insert(Sas.state(Sas.spec(Mode.TUNNEL, GATEWAY, PEER, 7)));
    }

    private void policy(int flags) {
        Template template = Sas.template(Mode.TUNNEL, GATEWAY, PEER);
        Selector selector = Sas.between("10.1.0.0/16", "10.2.0.0/16");
        host.spd.replace(
                PolicySpec.builder()
                        .selector(selector)
                        .priority(1)
                        .flags(flags)
                        .templates(List.of(template))
                        .build(),
                1);
    }

    /** @param about the packet that the error is about, with two ports swapped or an echo request */
    private static byte[] error(String from, int type, byte[] about) {
        byte[] icmp = Arrays.copyOf(new byte[] {(byte) type, 1, 0, 0, 0, 0, 0, 0}, 8 + about.length);
        System.arraycopy(about, 0, icmp, 8, about.length);
        return Frames.udp(from, "10.2.0.9").payload(IpProtocol.ICMP, icmp).frame();
    }

    private int protocolSent(byte[] frame) {
        return Frames.view(host.send(frame).getFirst()).protocol;
    }

    private static byte[] udp() {
        return Frames.udp("10.2.0.9", "10.1.0.5").packet();
    }

    @ParameterizedTest(name = "flags {0}, from {1}, type {2}")
    @CsvSource({
        "2, 192.0.2.1, 3, 50",
        "0, 192.0.2.1, 3, 1",
        "2, 192.0.2.1, 8, 1",
        "2, 192.0.2.1, 11, 50",
        "2, 192.0.2.1, 5, 50"
    })
    void shouldGoThroughTheTunnelOnlyUnderTheFlag(int flags, String from, int type, int sent) {
        policy(flags);
        assertEquals(sent, protocolSent(error(from, type, udp())));
    }

    @Test
    void shouldGoThroughTheTunnelWhenItsOwnFlowIsBlocked() {
        policy(PolicySpec.ICMP);
        host.policy(Direction.OUT, Sas.between(GATEWAY + "/32", "0.0.0.0/0"), PolicySpec.Action.BLOCK, 5);
        assertEquals(IpProtocol.ESP, protocolSent(error(GATEWAY, 3, udp())));
        assertEquals(0, host.send(error(GATEWAY, 8, udp())).size());
        assertEquals(1, host.drops(DropReason.OUT_POL_BLOCK));
    }

    @Test
    void shouldCostTwoLookupsAndNoMore() {
        policy(PolicySpec.ICMP);
        host.send(error(GATEWAY, 3, udp()));
        long before = host.stats.outbound(Metric.LOOKUPS);
        host.send(error(GATEWAY, 3, udp()));
        assertEquals(2, host.stats.outbound(Metric.LOOKUPS) - before);
    }
}
