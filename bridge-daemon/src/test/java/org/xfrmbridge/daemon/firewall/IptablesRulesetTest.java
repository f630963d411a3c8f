package org.xfrmbridge.daemon.firewall;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** With what the programs of iptables 1.8.9 and ufw 0.36.2 showed. */
class IptablesRulesetTest {
    @ParameterizedTest
    @ValueSource(strings = {"iptables-nft", "iptables-legacy"})
    void shouldSayTheSameOfTheInterface(String program) throws IOException {
        assertEquals("""
                iptables -I FORWARD 4 -i xfrm0 -j ACCEPT
                iptables -I FORWARD 3 -o xfrm0 -s 10.1.0.0/16 -d 10.2.0.0/16 -j ACCEPT
                iptables -I FORWARD 2 -i xfrm0 -s 10.2.0.0/16 -d 10.1.0.0/16 -j ACCEPT
                iptables -R INPUT 5 '!' -i xfrm0 -p udp -m udp --dport 1701 -j DROP
                iptables -I INPUT 4 -i xfrm0 -p udp -m udp --dport 1701 -j ACCEPT
                iptables -I OUTPUT 1 -d 10.2.0.0/16 -o eth0 -j ACCEPT
                iptables -t mangle -I FORWARD 1 -i xfrm0 -p tcp -m tcp --tcp-flags SYN,RST SYN -m tcpmss \
                --mss 1361:1536 -j TCPMSS --set-mss 1360
                iptables -t mangle -I PREROUTING 1 -i xfrm0 -m comment --comment 'from "the" tunnel' -j MARK \
                --set-xmark 0x2/0xff
                iptables -t raw -R PREROUTING 1 '!' -i xfrm0 -m rpfilter --invert -j DROP
                """, commands("iptables", recorded(program)));
    }

    @Test
    void shouldNeedNoExemptionFromSourceNat() throws IOException {
        List<Finding> findings = findings("iptables", recorded("iptables-nft"));
        assertEquals(
                2,
                findings.stream()
                        .filter(found -> !found.needed() && found.reason().equals(Reasons.EXEMPT))
                        .count());
    }

    @Test
    void shouldTellWhichPartsHaveNoCounterpart() {
        Finding found = findings("iptables", """
                *filter
                -A FORWARD -m policy --dir in --pol ipsec --strict ! --reqid 7 --next --mode tunnel -j ACCEPT
                """).getFirst();
        assertTrue(found.reason().contains("No counterpart: --strict ! --reqid 7 --next --mode tunnel."));
    }

    @Test
    void shouldNotDropForAllTunnelsWhatWasDroppedForOne() {
        assertEquals("# for all tunnels: iptables -I FORWARD 1 -i xfrm0 -j DROP\n", commands("iptables", """
                *filter
                -A FORWARD -m policy --dir in --pol ipsec --reqid 7 -j DROP
                """));
    }

    @ParameterizedTest
    @CsvSource({
        "ip6tables, -A PREROUTING -m rpfilter --invert -j DROP",
        "iptables, -A PREROUTING -m rpfilter --loose --invert -j DROP",
        "iptables, -A PREROUTING -i eth0 -m rpfilter --invert -j DROP",
        "iptables, -A PREROUTING -i eth+ -m policy --dir in --pol none -j DROP",
    })
    void shouldSayNothingOfWhatDoes(String program, String rule) {
        assertEquals(List.of(), findings(program, "*raw\n" + rule + "\n"));
    }

    @Test
    void shouldSayNothingOnceItIsSaid() {
        assertEquals("", commands("iptables", """
                *filter
                -A FORWARD -s 10.2.0.0/16 -i xfrm0 -j ACCEPT
                -A FORWARD -s 10.2.0.0/16 -i eth0 -m policy --dir in --pol ipsec -j ACCEPT
                """));
    }

    @Test
    void shouldOpenTheWayToAChain() {
        assertEquals("""
                iptables -I FORWARD 2 -i xfrm0 -j vpn
                iptables -I vpn 1 -i xfrm0 -s 10.2.0.0/16 -j ACCEPT
                """, commands("iptables", """
                *filter
                -A FORWARD -i lan -j ACCEPT
                -A FORWARD -i eth0 -j vpn
                -A vpn -s 10.2.0.0/16 -m policy --dir in --pol ipsec -j ACCEPT
                """));
    }

    @Test
    void shouldAskBehindTheRoutingWhatTheOutputCannotTell() {
        assertEquals("""
                iptables -t mangle -A POSTROUTING '!' -o xfrm0 -p udp -m udp --sport 1701 -j DROP
                iptables -D OUTPUT 1
                """, commands("iptables", """
                *filter
                -A OUTPUT -p udp -m udp --sport 1701 -m policy --dir out --pol none -j REJECT --reject-with \
                icmp-port-unreachable
                """));
    }

    @Test
    void shouldNotAcceptAllThatIsSent() {
        assertEquals(
                List.of(),
                findings("iptables", "*filter\n-A OUTPUT -o eth0 -m policy --dir out --pol ipsec -j ACCEPT\n")
                        .getFirst()
                        .commands());
    }

    @Test
    void shouldTellUsersOfUfwWhichFileKeepsIt() throws IOException {
        Finding found = findings("iptables", recorded("ufw")).getFirst();
        assertEquals(
                List.of("ufw: in /etc/ufw/before.rules before the rule that is there: "
                        + "-A ufw-before-forward -i xfrm0 -s 10.8.0.0/24 -j ACCEPT"),
                found.lasting());
    }

    @Test
    void shouldTellUsersOfFirewalldHowToKeepIt() {
        Finding found = new IptablesRuleset(
                        "iptables",
                        "*filter\n-A FORWARD -s 10.2.0.0/16 -m policy --dir in --pol ipsec -j ACCEPT\n",
                        "xfrm0",
                        true)
                .findings()
                .getFirst();
        assertEquals(
                "firewall-cmd --permanent --direct --add-rule ipv4 filter FORWARD 0 -i xfrm0 -s 10.2.0.0/16 -j ACCEPT",
                found.lasting().getFirst());
    }

    @Test
    void shouldKnowTheChains() {
        assertEquals(Set.of("filter INPUT", "nat vpn"), new IptablesRuleset("iptables", """
                *filter
                :INPUT ACCEPT [0:0]
                COMMIT
                *nat
                :vpn - [0:0]
                COMMIT
                """, "xfrm0", false).chains());
    }

    static String recorded(String name) throws IOException {
        try (InputStream in = IptablesRulesetTest.class.getResourceAsStream("/firewall/" + name + ".txt")) {
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        }
    }

    private static List<Finding> findings(String program, String saved) {
        return new IptablesRuleset(program, saved, "xfrm0", false).findings();
    }

    private static String commands(String program, String saved) {
        StringBuilder commands = new StringBuilder();
        findings(program, saved)
                .forEach(found -> found.commands()
                        .forEach(command -> commands.append(command).append('\n')));
        return commands.toString();
    }
}
