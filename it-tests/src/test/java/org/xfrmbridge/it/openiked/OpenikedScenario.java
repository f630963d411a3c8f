package org.xfrmbridge.it.openiked;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.xfrmbridge.it.harness.BridgedPair;
import org.xfrmbridge.it.harness.Ping;
import org.xfrmbridge.it.harness.Requirement;
import org.xfrmbridge.it.harness.Requires;
import org.xfrmbridge.lab.Attachment;
import org.xfrmbridge.lab.Gateway.Family;
import org.xfrmbridge.lab.Side;
import org.xfrmbridge.lab.Topology;

/**
 * Why: a daemon that knows PF_KEY only, waits a millisecond for an answer, and passes its sockets to a confined
 * process. Topology: two hosts. Steps: iked on both ends, pings, rekeying by bytes, deletion by one end, the end of the
 * daemons. Expected: no ping is lost but one that uses an SA before the other end's daemon has it, as iked uses a new
 * one at once (a kernel counts such a packet as XfrmAcquireError, too), all is ESP, and what one end deletes goes on
 * both. Both ends may rekey at once, as both count the same packets: the one that loses never deletes the SPI it took
 * for that, so SPIs without keys do not count.
 */
@Requires({
    Requirement.ROOT,
    Requirement.TUN,
    Requirement.TCPDUMP,
    Requirement.FPING,
    Requirement.IKED,
    Requirement.BRIDGE
})
class OpenikedScenario {
    private final Map<Side, Iked> daemons = new EnumMap<>(Side.class);
    private BridgedPair hosts;

    @BeforeEach
    void startBridges() {
        hosts = BridgedPair.start("openiked", Topology::direct, Attachment.STACK, Attachment.WIRE, List.of());
    }

    @AfterEach
    void endBridges() {
        hosts.close();
    }

    private void startDaemons(IkedConf configuration, String... options) {
        for (Side side : List.of(Side.RIGHT, Side.LEFT)) {
            configuration.route(side);
            String role = side == Side.LEFT ? "active" : "passive";
            daemons.put(side, Iked.start(hosts, side, configuration.of(side, role), options));
        }
        daemons.values().forEach(Iked::awaitEstablished);
    }

    @Test
    void shouldNegotiateRekeyAndDeleteTunnels() {
        startDaemons(new IkedConf(hosts.topology(), "tunnel", Family.IPV4));
        Ping ping = Ping.inner(hosts.topology(), Side.LEFT, Family.IPV4);
        hosts.assertProtected(ping);
        List<String> first = hosts.onePairOfSas();

        int lost = IkedConf.lostBeyondLifetime(ping);
        assertEquals(hosts.acquireErrors(), lost);
        hosts.awaitReplaced(first);
        hosts.assertProtected(Ping.inner(hosts.topology(), Side.LEFT, Family.IPV4));

        daemons.get(Side.RIGHT).reset(Side.LEFT);
        hosts.awaitNoStates();
    }

    @Test
    void shouldProtectHostsInTransportMode() {
        startDaemons(new IkedConf(hosts.topology(), "transport", Family.IPV6));
        hosts.assertProtected(Ping.outer(hosts.topology(), Side.LEFT, Family.IPV6));

        daemons.values().forEach(Iked::stop);
        for (Side side : Side.values()) {
            assertEquals(List.of(), hosts.spis(side));
            assertEquals("", hosts.policies(side));
        }
    }

    @Test
    void shouldCarryTunnelsInUdpWhenForced() {
        startDaemons(new IkedConf(hosts.topology(), "tunnel", Family.IPV4), "-t");
        hosts.assertProtected(Ping.inner(hosts.topology(), Side.LEFT, Family.IPV4));
        assertTrue(hosts.sniffer().udpEncapsulatedFrames() > 0);
    }
}
