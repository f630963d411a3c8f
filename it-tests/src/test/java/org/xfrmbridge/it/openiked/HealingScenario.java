package org.xfrmbridge.it.openiked;

import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.xfrmbridge.it.harness.BridgedPair;
import org.xfrmbridge.it.harness.Outage;
import org.xfrmbridge.it.harness.Ping;
import org.xfrmbridge.it.harness.Requirement;
import org.xfrmbridge.it.harness.Requires;
import org.xfrmbridge.lab.Attachment;
import org.xfrmbridge.lab.Gateway.Family;
import org.xfrmbridge.lab.Side;
import org.xfrmbridge.lab.Topology;

/**
 * Why: States do not outlive their bridge, and who believes in them asks for no others. Topology: two hosts, iked on
 * both. Steps: the left side pings; the bridge of the side that asked for the SA, or of the one that only receives, is
 * killed and started again. iked's process for PF_KEY has confined itself by then: it finds the bridge again as its
 * directory is below that process's root, and may ask as its group is the bridge's. Expected: iked hears that its
 * States are gone and negotiates at once, without a packet in the clear. Tunnels only: in transport mode IKE itself is
 * protected, and sockets of the other process, which makes no more calls, do not get their policies back.
 */
@Requires({
    Requirement.ROOT,
    Requirement.TUN,
    Requirement.TCPDUMP,
    Requirement.FPING,
    Requirement.IKED,
    Requirement.BRIDGE
})
class HealingScenario {
    private BridgedPair hosts;

    @AfterEach
    void end() {
        hosts.close();
    }

    @ParameterizedTest
    @CsvSource({"LEFT, tunnel", "RIGHT, tunnel"})
    void shouldNegotiateAtOnceWhenTheBridgeIsBack(Side restarted, String mode) {
        hosts = BridgedPair.start(
                "healing-openiked", Topology::direct, Attachment.STACK, Attachment.WIRE, List.of("--group", "_iked"));
        IkedConf configuration = new IkedConf(hosts.topology(), mode, Family.IPV4);
        for (Side side : List.of(Side.RIGHT, Side.LEFT)) {
            configuration.route(side);
            Iked iked = Iked.start(hosts, side, configuration.of(side, side == Side.LEFT ? "active" : "passive"));
            if (side == Side.LEFT) {
                iked.awaitEstablished();
            }
        }
        Ping ping = mode.equals("tunnel")
                ? Ping.inner(hosts.topology(), Side.LEFT, Family.IPV4)
                : Ping.outer(hosts.topology(), Side.LEFT, Family.IPV4);
        Outage.assertShort(hosts, restarted, ping, "iked, " + mode);
    }
}
