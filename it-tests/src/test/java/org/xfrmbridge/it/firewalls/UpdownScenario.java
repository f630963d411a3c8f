package org.xfrmbridge.it.firewalls;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;

import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.xfrmbridge.it.harness.NetTunnels;
import org.xfrmbridge.it.harness.Requirement;
import org.xfrmbridge.it.harness.Requires;
import org.xfrmbridge.it.strongswan.Connection;
import org.xfrmbridge.lab.BridgeProcess;
import org.xfrmbridge.lab.Charon;
import org.xfrmbridge.lab.Gateway.Family;
import org.xfrmbridge.lab.Side;

/**
 * Why: daemons open the firewall for a tunnel while it is there, by a script. Topology: FirewalledSite with charon on
 * both gateways, the left one with {@code xfrm-bridge-updown iptables} and rules that drop. Steps: a tunnel between the
 * networks is negotiated, used from both ends, and ended. Expected: everything passes through the tunnel while it is
 * there, but nothing else; its rules go with it.
 */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@Requires({
    Requirement.ROOT,
    Requirement.TUN,
    Requirement.BRIDGE,
    Requirement.TCPDUMP,
    Requirement.IPTABLES,
    Requirement.CHARON,
    Requirement.DEBIAN_PYTHON
})
@Tag("debian-13-at-night")
class UpdownScenario {
    private static final int[] PORTS = {7001, 7002};
    private static final String RULES = """
            for chain in INPUT FORWARD OUTPUT; do
                t -P $chain DROP
                t -A $chain -p ipv6-icmp -j ACCEPT
                t -A $chain -p esp -j ACCEPT
                t -A $chain -p udp -m multiport --dports 500,4500,7009 -j ACCEPT
                t -A $chain -p udp --sport 7009 -j ACCEPT
            done
            """;

    private FirewalledSite site;
    private Charon left;
    private Charon right;

    @BeforeAll
    void start() {
        site = FirewalledSite.startWithoutTunnels("updown");
        for (Family family : Family.values()) {
            new Iptables(site.host(), Iptables.Kind.NFT, family).run(RULES);
        }
        left = charon(Side.LEFT);
        right = charon(Side.RIGHT);
        left.awaitAnswer();
        right.awaitAnswer();
        for (Side side : Side.values()) {
            Connection.load(
                    side == Side.LEFT ? left : right,
                    site.hosts().topology(),
                    side,
                    connection(Family.IPV4),
                    connection(Family.IPV6));
        }
    }

    private Charon charon(Side side) {
        return Charon.launch(
                site.scene(),
                site.hosts().topology().site(side).host(),
                site.hosts().bridge(side),
                Map.of());
    }

    private static Connection connection(Family family) {
        Connection connection = new Connection("net" + family.label()).outer(family);
        connection
                .child("net" + family.label(), family)
                .between(NetTunnels.network(Side.LEFT, family), NetTunnels.network(Side.RIGHT, family))
                .set("hostaccess", "yes")
                .set(
                        Side.LEFT,
                        "updown",
                        BridgeProcess.program().resolveSibling("bridge-daemon/src/main/sh/xfrm-bridge-updown")
                                + " iptables");
        return connection;
    }

    @AfterAll
    void end() {
        if (site != null) {
            site.close();
        }
    }

    @ParameterizedTest
    @EnumSource
    void shouldOpenTheFirewallWhileTheTunnelIsThere(Family family) {
        String before = rules(family);
        left.swanctl("--initiate", "--timeout", "30", "--child", "net" + family.label());
        assertNotEquals(before, rules(family));
        site.assertAnswer(Place.FAR, Place.CLIENT, family, PORTS, PORTS);
        site.assertAnswer(Place.CLIENT, Place.FAR, family, PORTS, PORTS);
        site.assertAnswer(Place.FAR, Place.GATEWAY, family, PORTS, PORTS);
        site.assertAnswer(Place.GATEWAY, Place.FAR, family, PORTS, PORTS);
        site.assertAnswer(Place.WORLD, Place.OUTSIDE, family, PORTS);
        site.assertAnswer(Place.WORLD, Place.CLIENT, family, PORTS);
        site.assertNothingClear();
        left.swanctl("--terminate", "--timeout", "30", "--ike", "net" + family.label());
        assertEquals(before, rules(family));
    }

    private String rules(Family family) {
        Iptables rules = new Iptables(site.host(), Iptables.Kind.NFT, family);
        return site.host().run(rules.program(), "-S");
    }
}
