package org.xfrmbridge.it.firewalls;

import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.xfrmbridge.it.harness.Requirement;
import org.xfrmbridge.it.harness.Requires;
import org.xfrmbridge.lab.Gateway.Family;

/**
 * Why: rules for a kernel's IPsec do nothing here, or harm, and {@code xfrm-bridge firewall} says what to say instead.
 * Topology: FirewalledSite. Steps: one port for each row of the tables of docs/firewall.md, with the rule of a kernel;
 * all ask all through them; what the command prints goes to a shell; all ask once more. Expected: at first only rules
 * that may stay do what they are for, and {@code status} warns; afterwards all do, as on a kernel, and it is content.
 */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@Requires({
    Requirement.ROOT,
    Requirement.TUN,
    Requirement.BRIDGE,
    Requirement.TCPDUMP,
    Requirement.NFT,
    Requirement.IPTABLES,
    Requirement.DEBIAN_PYTHON
})
class FirewallCommandScenario {
    private static final int[] PORTS = {7001, 7002, 7003, 7004, 7005};

    private static final String IPTABLES = """
            for chain in INPUT FORWARD OUTPUT; do
                t -P $chain DROP
                t -A $chain -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT
                t -A $chain -p ipv6-icmp -j ACCEPT
                t -A $chain -p esp -j ACCEPT
                t -A $chain -p udp --dport 7009 -j ACCEPT
            done
            t -A INPUT -i eth0 -p udp --dport 7001 -m policy --dir in --pol ipsec -j ACCEPT
            t -A INPUT -p udp --dport 7002 -m policy --dir in --pol none -j DROP
            t -A INPUT -p udp --dport 7002 -j ACCEPT
            t -A INPUT -i eth0 -p udp --dport 7003 -m policy --dir in --pol none -j DROP
            t -A INPUT -p udp --dport 7003 -j ACCEPT
            t -t mangle -A PREROUTING -p udp --dport 7004 -m policy --dir in --pol ipsec -j MARK --set-mark 4
            t -A INPUT -m mark --mark 4 -j ACCEPT
            t -t raw -A PREROUTING -p udp --dport 7005 -m rpfilter --invert -j DROP
            t -A INPUT -p udp --dport 7005 -j ACCEPT

            t -A FORWARD -i eth0 -p udp --dport 7001 -m policy --dir in --pol ipsec --proto esp -j ACCEPT
            t -A FORWARD -o eth0 -p udp --dport 7002 -m policy --dir out --pol ipsec --mode tunnel -j ACCEPT
            t -A FORWARD -p udp --dport 7003 -m policy --dir out --pol none -j DROP
            t -A FORWARD -p udp --dport 7003 -j ACCEPT
            t -A FORWARD -o eth0 -p udp --dport 7004 -m policy --dir out --pol none -j DROP
            t -A FORWARD -p udp --dport 7004 -j ACCEPT

            t -A OUTPUT -d $far -p udp --dport 7001 -m policy --dir out --pol ipsec -j ACCEPT
            t -A OUTPUT -p udp --dport 7002 -m policy --dir out --pol none -j REJECT
            t -A OUTPUT -p udp --dport 7002 -j ACCEPT

            t -t nat -A POSTROUTING -m policy --dir out --pol ipsec -j ACCEPT
            t -t nat -A POSTROUTING -o eth0 -m policy --dir out --pol none -j MASQUERADE
            """;

    private static final String NFT = """
            table inet filter {
                chain input {
                    type filter hook input priority 0; policy drop;
                    ct state established,related accept
                    meta l4proto { esp, ipv6-icmp } accept
                    udp dport 7009 accept
                    iifname "eth0" udp dport 7001 meta ipsec exists accept
                    udp dport 7002 meta secpath missing drop
                    udp dport 7002 accept
                    iifname "eth0" udp dport 7003 meta ipsec missing drop
                    udp dport 7003 accept
                    udp dport 7004 ipsec in reqid 1 accept
                    udp dport 7005 fib saddr . iif oif missing drop
                    udp dport 7005 accept
                }
                chain forward {
                    type filter hook forward priority 0; policy drop;
                    ct state established,related accept
                    meta l4proto { esp, ipv6-icmp } accept
                    udp dport 7009 accept
                    iifname "eth0" udp dport 7001 meta ipsec exists accept
                    oifname "eth0" udp dport 7002 rt ipsec exists accept
                    udp dport 7003 rt ipsec missing drop
                    udp dport 7003 accept
                    oifname "eth0" udp dport 7004 rt ipsec missing drop
                    udp dport 7004 accept
                }
                chain output {
                    type filter hook output priority 0; policy drop;
                    ct state established,related accept
                    meta l4proto { esp, ipv6-icmp } accept
                    udp dport 7009 accept
                    ip daddr 10.2.0.0/16 udp dport 7001 rt ipsec exists accept
                    ip6 daddr fd02::/64 udp dport 7001 rt ipsec exists accept
                    udp dport 7002 rt ipsec missing drop
                    udp dport 7002 accept
                }
                chain postrouting {
                    type nat hook postrouting priority srcnat;
                    rt ipsec exists accept
                    oifname "eth0" rt ipsec missing masquerade
                }
            }
            """;

    private FirewalledSite site;

    @BeforeAll
    void start() {
        site = FirewalledSite.start("firewall-command");
    }

    @AfterAll
    void end() {
        if (site != null) {
            site.close();
        }
    }

    @AfterEach
    void shouldBeClearNowhere() {
        for (Iptables.Kind kind : Iptables.Kind.values()) {
            for (Family family : Family.values()) {
                new Iptables(site.host(), kind, family).flush();
            }
        }
        site.host().run("nft", "flush", "ruleset");
        site.assertNothingClear();
    }

    @ParameterizedTest
    @EnumSource
    void shouldSayWhatRulesOfIptablesMean(Iptables.Kind kind) {
        for (Family family : Family.values()) {
            new Iptables(site.host(), kind, family).run(IPTABLES);
        }
        // The check of sources by IPv6 routes finds the bridge's interface.
        assertBefore(Family.IPV4, 7003);
        assertBefore(Family.IPV6, 7003, 7005);
        site.assertWarned(true);
        site.host().run("sh", "-c", FirewalledSite.APPLY);
        for (Family family : Family.values()) {
            assertAfterwards(family, 7001, 7002, 7003, 7004, 7005);
        }
        site.assertWarned(false);
    }

    @Test
    void shouldSayWhatRulesOfNftMean() {
        load(NFT);
        assertBefore(Family.IPV4, 7003);
        assertBefore(Family.IPV6, 7003);
        site.assertWarned(true);
        site.host().run("sh", "-c", FirewalledSite.APPLY);
        for (Family family : Family.values()) {
            assertAfterwards(family, 7001, 7002, 7003, 7004, 7005);
        }
        site.assertWarned(false);
    }

    private void load(String rules) {
        site.host()
                .run(
                        "nft",
                        "-f",
                        org.xfrmbridge.lab.Lab.write(site.scene().file("rules.nft"), rules)
                                .toString());
    }

    private void assertBefore(Family family, int... letIn) {
        site.assertAnswer(Place.FAR, Place.GATEWAY, family, PORTS, letIn);
        site.assertAnswer(Place.FAR, Place.CLIENT, family, PORTS, 7004);
        site.assertAnswer(Place.CLIENT, Place.FAR, family, PORTS, 7004);
        site.assertAnswer(Place.GATEWAY, Place.FAR, family, PORTS);
    }

    private void assertAfterwards(Family family, int... letIn) {
        site.assertAnswer(Place.FAR, Place.GATEWAY, family, PORTS, letIn);
        site.assertAnswer(Place.FAR, Place.CLIENT, family, PORTS, 7001, 7004);
        site.assertAnswer(Place.CLIENT, Place.FAR, family, PORTS, 7002, 7003, 7004);
        site.assertAnswer(Place.GATEWAY, Place.FAR, family, PORTS, 7001, 7002);
        site.assertAnswer(Place.WORLD, Place.OUTSIDE, family, PORTS, 7005);
        site.assertAnswer(Place.OUTSIDE, Place.WORLD, family, PORTS);
        String outside = Place.OUTSIDE.address(family);
        site.assertAnswerTo(outside, Place.CLIENT, Place.WORLD, family, PORTS);
    }
}
