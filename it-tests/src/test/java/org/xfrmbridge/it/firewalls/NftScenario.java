package org.xfrmbridge.it.firewalls;

import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.xfrmbridge.it.harness.Requirement;
import org.xfrmbridge.it.harness.Requires;
import org.xfrmbridge.lab.Daemon;
import org.xfrmbridge.lab.Gateway.Family;
import org.xfrmbridge.lab.Lab;

/**
 * Why: a file of nft begins with {@code flush ruleset}, which is said of all tables. Topology: FirewalledSite. Steps:
 * such a file, with stateful rules, source and destination NAT; it is loaded twenty times anew under traffic of both
 * families, while a stranger sends what only tunnels may bring; the rules of docs/firewall.md are added. Expected: what
 * its rules open answers, through the tunnel and beside it; no datagram is lost; nothing of the far network is in the
 * clear on any wire, nor comes in so.
 */
@Requires({
    Requirement.ROOT,
    Requirement.TUN,
    Requirement.BRIDGE,
    Requirement.TCPDUMP,
    Requirement.NFT,
    Requirement.DEBIAN_PYTHON
})
class NftScenario {
    private static final int[] PORTS = {7001, 7002, 7003};
    private static final String RULES = """
            flush ruleset
            table inet filter {
                chain input {
                    type filter hook input priority filter; policy drop;
                    ct state established,related accept
                    meta l4proto { esp, ipv6-icmp } accept
                    iifname xfrm0 udp dport { 7001, 7009 } accept
                    iifname eth0 udp dport { 7002, 7009 } accept
                }
                chain forward {
                    type filter hook forward priority filter; policy drop;
                    ct state established,related accept
                    iifname lan accept
                    iifname xfrm0 meta l4proto { icmp, ipv6-icmp } accept
                    iifname xfrm0 udp dport { 7003, 7009 } accept
                    ct status dnat accept
                }
            }
            table inet nat {
                chain prerouting {
                    type nat hook prerouting priority dstnat;
                    iifname xfrm0 udp dport 7003 ip daddr 10.1.0.100 dnat ip to 10.5.0.1
                    iifname xfrm0 udp dport 7003 ip6 daddr fd01::100 dnat ip6 to fd05::1
                }
                chain postrouting {
                    type nat hook postrouting priority srcnat;
                    oifname eth0 masquerade
                }
            }
            """;

    @Test
    void shouldOpenNothingWhenTheRulesetIsLoadedAnew() {
        try (FirewalledSite site = FirewalledSite.start("nft")) {
            Path rules = Lab.write(site.scene().file("rules.nft"), RULES);
            site.host().run("nft", "-f", rules.toString());
            for (Family family : Family.values()) {
                assertOpen(site, family);
            }
            List<Daemon> strays = site.startStrays();
            List<Daemon> streams = site.startStreams();
            site.host().run("sh", "-ec", "for turn in $(seq 20); do nft -f " + rules + "; sleep 0.1; done");
            for (Family family : Family.values()) {
                assertOpen(site, family);
            }
            site.assertStreamed(streams);
            strays.forEach(Daemon::close);
            Documentation.commands("nft", "nft add rule")
                    .forEach(command -> site.host().run("sh", "-ec", command));
            int[] ports = {1701, 7001};
            site.assertAnswer(Place.FAR, Place.GATEWAY, Family.IPV4, new int[] {1701, 7002}, 1701);
            site.assertAnswer(Place.FAR, Place.CLIENT, Family.IPV4, ports, ports);
            site.assertAnswer(Place.CLIENT, Place.FAR, Family.IPV4, ports, ports);
            site.assertNothingClear();
        }
    }

    private static void assertOpen(FirewalledSite site, Family family) {
        site.assertAnswer(Place.FAR, Place.GATEWAY, family, PORTS, 7001, 7003);
        site.assertAnswer(Place.FAR, Place.CLIENT, family, PORTS, 7003);
        site.assertAnswer(Place.WORLD, Place.OUTSIDE, family, PORTS, 7002);
        site.assertAnswer(Place.CLIENT, Place.FAR, family, PORTS, PORTS);
        String outside = Place.OUTSIDE.address(family);
        site.assertAnswerTo(outside, Place.CLIENT, Place.WORLD, family, PORTS, PORTS);
        site.assertAnswerTo(outside, Place.GUEST, Place.WORLD, family, PORTS, PORTS);
    }
}
