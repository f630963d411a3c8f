package org.xfrmbridge.it.firewalls;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Map;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.xfrmbridge.it.harness.NetTunnels;
import org.xfrmbridge.it.harness.Requirement;
import org.xfrmbridge.it.harness.Requires;
import org.xfrmbridge.it.libreswan.Pluto;
import org.xfrmbridge.it.strongswan.Connection;
import org.xfrmbridge.lab.BridgeProcess;
import org.xfrmbridge.lab.Charon;
import org.xfrmbridge.lab.Gateway.Family;
import org.xfrmbridge.lab.Side;

/**
 * Why: pluto leaves routes and rules to a script, which asks a kernel for IPsec. Topology: FirewalledSite with pluto on
 * the gateway, charon on the other; rules that drop all but what comes or leaves by xfrm0. Steps: with
 * {@code xfrm-bridge-updown} a tunnel between the networks is negotiated, used from both ends, and ended. Expected:
 * everything passes through the tunnel and nothing beside it; packets meet the rule that {@code nflog} is for, both
 * ways, and it goes with the tunnel.
 */
@Requires({
    Requirement.ROOT,
    Requirement.TUN,
    Requirement.BRIDGE,
    Requirement.TCPDUMP,
    Requirement.IPTABLES,
    Requirement.CHARON,
    Requirement.LIBRESWAN,
    Requirement.DEBIAN_PYTHON
})
@Tag("debian-13-at-night")
class PlutoUpdownScenario {
    private static final int[] PORTS = {7001, 7002};
    private static final String CONNECTION = """
            conn net4
                left=192.0.2.1
                right=192.0.2.2
                leftid=@%s
                rightid=@%s
                leftsubnet=%s
                rightsubnet=%s
                leftupdown=%s
                nflog=5
                authby=secret
                ikev2=insist
                ike=aes128-sha256-dh31
                esp=aes_gcm128-null
                auto=add
            """;
    private static final String RULES = """
            for chain in INPUT FORWARD; do
                t -P $chain DROP
                t -A $chain -p esp -j ACCEPT
                t -A $chain -p udp -m multiport --dports 500,4500,7009 -j ACCEPT
                t -A $chain -p udp --sport 7009 -j ACCEPT
                t -A $chain -i xfrm0 -j ACCEPT
            done
            t -A FORWARD -o xfrm0 -j ACCEPT
            """;
    private static final Pattern LOGGED =
            Pattern.compile("\\[[1-9]\\d*:\\d+\\] -A (\\w+) .*-j NFLOG .*--nflog-group 5");

    @Test
    void shouldMakeTheRulesOfATunnelWhileItIsThere() {
        try (FirewalledSite site = FirewalledSite.startWithoutTunnels("pluto-updown")) {
            new Iptables(site.host(), Iptables.Kind.NFT, Family.IPV4).run(RULES);
            Charon right = Charon.start(
                    site.scene(),
                    site.hosts().topology().right().host(),
                    site.hosts().bridge(Side.RIGHT),
                    Map.of());
            String near = NetTunnels.network(Side.LEFT, Family.IPV4);
            String far = NetTunnels.network(Side.RIGHT, Family.IPV4);
            Connection connection = new Connection("net4");
            connection.child("net4", Family.IPV4).between(near, far).set("esp_proposals", "aes128gcm16-x25519");
            Connection.load(right, site.hosts().topology(), Side.RIGHT, connection);
            Pluto pluto = Pluto.start(
                    site.hosts(),
                    Side.LEFT,
                    CONNECTION.formatted(
                            Side.LEFT.identity(),
                            Side.RIGHT.identity(),
                            near,
                            far,
                            BridgeProcess.program().resolveSibling("bridge-daemon/src/main/sh/xfrm-bridge-updown")));
            // Pluto makes none where there ought to be a default route.
            site.host().route(far, "192.0.2.2");
            assertEquals("", logged(site));
            pluto.ipsec("auto", "--up", "net4").run();
            site.assertAnswer(Place.FAR, Place.CLIENT, Family.IPV4, PORTS, PORTS);
            site.assertAnswer(Place.CLIENT, Place.FAR, Family.IPV4, PORTS, PORTS);
            site.assertAnswer(Place.FAR, Place.GATEWAY, Family.IPV4, PORTS, PORTS);
            site.assertAnswer(Place.GATEWAY, Place.FAR, Family.IPV4, PORTS, PORTS);
            site.assertAnswer(Place.WORLD, Place.OUTSIDE, Family.IPV4, PORTS);
            site.assertNothingClear();
            assertEquals("INPUT POSTROUTING ", logged(site));
            pluto.ipsec("auto", "--down", "net4").run();
            assertTrue(!site.host().run("iptables-nft-save").contains("NFLOG"));
        }
    }

    /** The chains where packets have met a rule for the log. */
    private static String logged(FirewalledSite site) {
        StringBuilder chains = new StringBuilder();
        LOGGED.matcher(site.host().run("iptables-nft-save", "-c"))
                .results()
                .map(match -> match.group(1) + " ")
                .sorted()
                .forEach(chains::append);
        return chains.toString();
    }
}
