package org.xfrmbridge.it.firewalls;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.xfrmbridge.it.harness.Requirement;
import org.xfrmbridge.it.harness.Requires;
import org.xfrmbridge.lab.Gateway.Family;
import org.xfrmbridge.lab.Lab;

/**
 * Why: a mark goes where an interface does not, and most bits of it are the host's. Topology: FirewalledSite, bridges
 * with {@code --mark-opened 0x10}. Steps: rules of nft that ask for the mark, alone and beside a bit of the host's own;
 * a routing rule for it, without which the client is out of reach; a bit that the host gives what it sends or forwards,
 * at several places. Expected: just what was opened has the mark, in rules and for routes, and no other bit that is not
 * the host's; what the host marks is protected as ever.
 */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@Requires({
    Requirement.ROOT,
    Requirement.TUN,
    Requirement.BRIDGE,
    Requirement.TCPDUMP,
    Requirement.NFT,
    Requirement.DEBIAN_PYTHON
})
class OpenedMarkScenario {
    private static final int[] PORTS = {7001, 7002, 7003, 7004};
    private static final int[] OWN = {7005, 7006, 7007};
    private static final String RULES = """
            table inet marks {
                chain prerouting {
                    type filter hook prerouting priority mangle;
                    udp dport 7003 meta mark set meta mark | 0x100
                }
                chain input {
                    type filter hook input priority filter; policy drop;
                    ct state established,related accept
                    meta l4proto { esp, ipv6-icmp } accept
                    udp dport 7009 accept
                    udp dport 7001 meta mark 0x10 accept
                    udp dport 7002 meta mark 0 accept
                    udp dport 7003 meta mark 0x110 accept
                    udp dport 7004 iifname xfrm0 meta mark & 0x10 == 0 accept
                }
                chain output {
                    type route hook output priority mangle;
                    udp dport 7005 meta mark set 0x200
                }
                chain forward {
                    type filter hook forward priority mangle;
                    udp dport 7006 meta mark set 0x200
                }
                chain postrouting {
                    type filter hook postrouting priority mangle;
                    udp dport 7007 meta mark set 0x200
                }
            }
            """;
    private static final String ROUTES = """
            for address in 10.1.0.1 fd01::1; do
                case $address in *:*) family=-6 ;; *) family=-4 ;; esac
                ip $family route add unreachable $address
                ip $family route add $address dev lan table 100
            done
            """;

    private FirewalledSite site;

    @BeforeAll
    void start() {
        site = FirewalledSite.start("opened-mark", "--mark-opened", "0x10");
    }

    @AfterAll
    void end() {
        if (site != null) {
            site.close();
        }
    }

    @Test
    void shouldMarkWhatWasOpenedForRules() {
        site.host()
                .run(
                        "nft",
                        "-f",
                        Lab.write(site.scene().file("rules.nft"), RULES).toString());
        for (Family family : Family.values()) {
            site.assertAnswer(Place.FAR, Place.GATEWAY, family, PORTS, 7001, 7003);
            site.assertAnswer(Place.WORLD, Place.OUTSIDE, family, PORTS, 7002);
            site.assertAnswer(Place.GATEWAY, Place.FAR, family, OWN, OWN);
            site.assertAnswer(Place.CLIENT, Place.FAR, family, OWN, OWN);
        }
        site.host().run("nft", "delete", "table", "inet", "marks");
        site.assertNothingClear();
    }

    @Test
    void shouldMarkWhatWasOpenedForRoutes() {
        // The way back to a client is not the one that is looked for by his address.
        site.host().sysctl("ipv4.conf.all.rp_filter", 0);
        site.host().run("sh", "-ec", ROUTES);
        for (Family family : Family.values()) {
            site.host().ip("-" + family.label(), "rule", "add", "fwmark", "0x10/0x10", "lookup", "100");
            site.assertAnswer(Place.FAR, Place.CLIENT, family, new int[] {7001}, 7001);
            List<String> told = site.ping(Place.WORLD, Place.CLIENT, family);
            assertTrue(told.stream().anyMatch(line -> line.contains("nreachable")), told::toString);
            site.host().ip("-" + family.label(), "rule", "delete", "fwmark", "0x10/0x10", "lookup", "100");
            site.host().ip("-" + family.label(), "route", "delete", "unreachable", Place.CLIENT.address(family));
        }
        site.assertNothingClear();
    }
}
