package org.xfrmbridge.daemon.firewall;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** With what nft 1.0.6 showed. */
class NftRulesetTest {
    @Test
    void shouldSayTheSameOfTheInterface() throws IOException {
        StringBuilder commands = new StringBuilder();
        findings(IptablesRulesetTest.recorded("nft"), Set.of())
                .forEach(found -> found.commands()
                        .forEach(command -> commands.append(command).append('\n')));
        assertEquals(IptablesRulesetTest.recorded("nft-commands"), commands.toString());
    }

    @Test
    void shouldSayWhenItCannotBeSaid() throws IOException {
        assertEquals(
                1,
                findings(IptablesRulesetTest.recorded("nft"), Set.of()).stream()
                        .filter(found -> found.rule().contains("vmap")
                                && found.commands().isEmpty()
                                && found.reason().equals(Reasons.inexpressible("xfrm0")))
                        .count());
    }

    @Test
    void shouldLeaveOutWhatIsOfOthers() throws IOException {
        assertEquals(List.of(), findings(IptablesRulesetTest.recorded("nft"), Set.of("inet filter", "ip nat post")));
    }

    @Test
    void shouldSayNothingOnceItIsSaid() {
        assertEquals(List.of(), findings("""
                table inet filter { # handle 1
                	chain input { # handle 1
                		type filter hook input priority filter; policy accept;
                		iifname "xfrm0" udp dport 1701 accept # handle 3
                		iifname "eth0" meta ipsec exists udp dport 1701 accept # handle 2
                		iifname != "xfrm0" fib saddr . iif oif missing drop # handle 4
                	}
                }
                """, Set.of()));
    }

    @Test
    void shouldPointToTheProgramThatSeesMore() {
        assertEquals(Reasons.OPAQUE, findings("""
                table ip filter { # handle 1
                	chain FORWARD { # handle 1
                		type filter hook forward priority filter; policy accept;
                		xt match "policy" counter packets 0 bytes 0 accept # handle 2
                	}
                }
                """, Set.of()).getFirst().reason());
    }

    @Test
    void shouldLeaveFirewalldsCheckOfSourcesAlone() {
        assertEquals(List.of(), findings("""
                table inet firewalld { # handle 1
                	chain filter_PREROUTING { # handle 1
                		type filter hook prerouting priority filter + 10; policy accept;
                		meta nfproto ipv6 fib saddr . mark . iif oif missing drop # handle 52
                	}
                }
                """, Set.of()));
    }

    @Test
    void shouldKeepTunnelsOutOfFlowtables() {
        String listing = """
                table inet filter { # handle 1
                	flowtable fast { # handle 2
                		hook ingress priority filter
                		devices = { eth0, lan }
                	}

                	chain forward { # handle 3
                		type filter hook forward priority filter; policy accept;
                		%smeta l4proto { tcp, udp } flow add @fast # handle 4
                	}
                }
                """;
        assertEquals(
                List.of("nft 'replace rule inet filter forward handle 4 "
                        + "iifname != \"xfrm0\" oifname != \"xfrm0\" meta l4proto { tcp, udp } flow add @fast'"),
                findings(listing.formatted(""), Set.of()).getFirst().commands());
        assertEquals(
                List.of("nft 'replace rule inet filter forward handle 4 "
                        + "oifname != \"xfrm0\" iifname \"lan\" meta l4proto { tcp, udp } flow add @fast'"),
                findings(listing.formatted("iifname \"lan\" "), Set.of())
                        .getFirst()
                        .commands());
        assertEquals(List.of(), findings(listing.formatted("iifname != \"xfrm0\" oifname != \"xfrm0\" "), Set.of()));
    }

    private static List<Finding> findings(String listing, Set<String> left) {
        return new NftRuleset(listing, "xfrm0", left).findings();
    }
}
