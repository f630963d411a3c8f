package org.xfrmbridge.it.firewalls;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.xfrmbridge.it.harness.Requirement;
import org.xfrmbridge.it.harness.Requires;
import org.xfrmbridge.lab.Await;
import org.xfrmbridge.lab.Daemon;
import org.xfrmbridge.lab.Gateway.Family;
import org.xfrmbridge.lab.Topology;

/**
 * Why: most firewalls are of iptables, and must see what tunnels carry as on a kernel. Topology: two gateways with
 * tunnels between the networks behind them, rules on the left one; a stranger who pretends to come from the far network
 * (FirewalledSite). Steps: rules for what comes in and is forwarded, stateful ones, source and destination NAT, reloads
 * under traffic; each with both kinds of iptables, in both families. Expected: who asks through the firewall hears from
 * the ports that rules open, and from no others; the answering see the sources that rules make; nothing of the far
 * network is in the clear on any wire, nor comes in so.
 */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@Requires({
    Requirement.ROOT,
    Requirement.TUN,
    Requirement.BRIDGE,
    Requirement.TCPDUMP,
    Requirement.IPTABLES,
    Requirement.DEBIAN_PYTHON
})
class IptablesScenario {
    private static final Duration LIMIT = Duration.ofSeconds(30);
    /** What every firewall lets in. Neighbour discovery is ICMP. */
    private static final String USUAL = """
            t -P INPUT DROP
            t -P FORWARD DROP
            for chain in INPUT FORWARD; do
                t -A $chain -m conntrack --ctstate INVALID -j DROP
                t -A $chain -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT
                t -A $chain -p ipv6-icmp -j ACCEPT
                t -A $chain -p udp --dport 7009 -j ACCEPT
            done
            t -A INPUT -p esp -j ACCEPT
            """;

    private static final String ESP_OF_THE_GATEWAY =
            "(ip proto 50 or ip6 proto 50) and (src host 192.0.2.1 or src host 2001:db8:7::1)";

    private FirewalledSite site;

    static Stream<Arguments> programs() {
        return Stream.of(Iptables.Kind.values())
                .flatMap(kind -> Stream.of(Family.values()).map(family -> Arguments.of(kind, family)));
    }

    @BeforeAll
    void start() {
        site = FirewalledSite.start("iptables");
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
                rules(kind, family).flush();
            }
        }
        site.assertNothingClear();
    }

    private Iptables rules(Iptables.Kind kind, Family family) {
        return new Iptables(site.host(), kind, family);
    }

    @ParameterizedTest
    @MethodSource("programs")
    void shouldLetInWhatRulesAllow(Iptables.Kind kind, Family family) {
        rules(kind, family).run(USUAL + """
                t -A INPUT -i xfrm0 -p udp --dport 7001 -j ACCEPT
                t -A INPUT -i eth0 -p udp --dport 7002 -j ACCEPT
                t -A FORWARD -i xfrm0 -o lan -s $far -d $near -p udp --dport 7003 -j ACCEPT
                t -A FORWARD -i eth0 -p udp --dport 7004 -j ACCEPT
                """);
        int[] ports = {7001, 7002, 7003, 7004, 7005};
        site.assertAnswer(Place.FAR, Place.GATEWAY, family, ports, 7001);
        site.assertAnswer(Place.FAR, Place.CLIENT, family, ports, 7003);
        site.assertAnswer(Place.WORLD, Place.OUTSIDE, family, ports, 7002);
        site.assertAnswer(Place.WORLD, Place.GUEST, family, ports, 7004);
    }

    @Test
    void shouldLetInL2tpThroughTheTunnelAlone() {
        Documentation.commands("L2TP over IPsec", "iptables")
                .forEach(command -> site.host().run("sh", "-ec", command));
        int[] ports = {1701};
        site.assertAnswer(Place.FAR, Place.GATEWAY, Family.IPV4, ports, ports);
        site.assertAnswer(Place.WORLD, Place.OUTSIDE, Family.IPV4, ports);
    }

    @ParameterizedTest
    @MethodSource("programs")
    void shouldKnowTheAnswersToWhatBeganHere(Iptables.Kind kind, Family family) {
        rules(kind, family).run(USUAL + """
                t -A FORWARD -i lan -o xfrm0 -p udp --dport 7001 -j ACCEPT
                t -A FORWARD -i lan -o xfrm0 -p tcp --dport 7001 -j ACCEPT
                """);
        for (Place from : List.of(Place.GATEWAY, Place.CLIENT)) {
            site.assertAnswer(from, Place.FAR, family, new int[] {7001}, 7001);
            assertEquals("7001 " + from.address(family), site.connect(from, Place.FAR, family, 7001));
            site.assertAnswer(Place.FAR, from, family, new int[] {7001});
            List<String> connections = site.tracked("tcp", "dport=7001", "[ASSURED]");
            assertTrue(
                    connections.stream()
                            .anyMatch(line -> line.contains(
                                    "src=" + written(from, family) + " dst=" + written(Place.FAR, family))),
                    connections::toString);
        }
    }

    /** As the kernel writes addresses of connections. */
    private static String written(Place place, Family family) {
        String address = place.address(family);
        if (family == Family.IPV4) {
            return address;
        }
        String[] ends = address.split("::");
        return ends[0] + ":0000:0000:0000:0000:0000:0000:" + "0".repeat(4 - ends[1].length()) + ends[1];
    }

    @ParameterizedTest
    @EnumSource
    void shouldSendNoEspThatARuleDrops(Iptables.Kind kind) {
        List<Daemon> streams = site.startStreams();
        awaitEsp();
        for (Family family : Family.values()) {
            rules(kind, family).run("t -A OUTPUT -p esp -j DROP");
        }
        // What was on its way.
        Await.pause(Duration.ofMillis(300));
        int before = site.packets(Topology.LEFT_PORT, ESP_OF_THE_GATEWAY).size();
        Await.pause(Duration.ofSeconds(1));
        assertEquals(
                before, site.packets(Topology.LEFT_PORT, ESP_OF_THE_GATEWAY).size());
        for (Family family : Family.values()) {
            rules(kind, family).flush();
        }
        awaitEsp();
        streams.forEach(Daemon::close);
    }

    private void awaitEsp() {
        int before = site.packets(Topology.LEFT_PORT, ESP_OF_THE_GATEWAY).size();
        Await.until(
                "ESP",
                LIMIT,
                () -> site.packets(Topology.LEFT_PORT, ESP_OF_THE_GATEWAY).size() > before);
    }

    @ParameterizedTest
    @MethodSource("programs")
    void shouldMasqueradeAllButWhatIsProtected(Iptables.Kind kind, Family family) {
        Iptables rules = rules(kind, family);
        rules.run("t -t nat -A POSTROUTING -o eth0 -j MASQUERADE");
        assertMasqueraded(family);
        rules.run("t -t nat -I POSTROUTING -m policy --dir out --pol ipsec -j ACCEPT");
        assertMasqueraded(family);
    }

    private void assertMasqueraded(Family family) {
        int[] ports = {7001};
        site.assertAnswer(Place.CLIENT, Place.FAR, family, ports, 7001);
        site.assertAnswer(Place.FAR, Place.CLIENT, family, ports, 7001);
        for (Place from : List.of(Place.CLIENT, Place.GUEST)) {
            site.assertAnswerTo(Place.OUTSIDE.address(family), from, Place.WORLD, family, ports, 7001);
            assertEquals("7001 " + Place.OUTSIDE.address(family), site.connect(from, Place.WORLD, family, 7001));
        }
        assertEquals("7001 " + Place.CLIENT.address(family), site.connect(Place.CLIENT, Place.FAR, family, 7001));
    }

    @ParameterizedTest
    @MethodSource("programs")
    void shouldProtectWhatARuleGivesASourceOfTheTunnel(Iptables.Kind kind, Family family) {
        String source = family == Family.IPV4 ? "10.1.0.200" : "fd01::200";
        rules(kind, family).run("t -t nat -A POSTROUTING -d $far -j SNAT --to-source " + source);
        int before = site.esp();
        site.assertAnswerTo(source, Place.GUEST, Place.FAR, family, new int[] {7001}, 7001);
        assertEquals("7001 " + source, site.connect(Place.GUEST, Place.FAR, family, 7001));
        site.assertAnswer(Place.CLIENT, Place.FAR, family, new int[] {7001}, 7001);
        assertTrue(site.esp() > before);
    }

    @ParameterizedTest
    @MethodSource("programs")
    void shouldPublishPortsToTheTunnel(Iptables.Kind kind, Family family) {
        String client = bracketed(Place.CLIENT, family);
        String guest = bracketed(Place.GUEST, family);
        rules(kind, family).run(USUAL + """
                t -A INPUT -i xfrm0 -p udp -j ACCEPT
                t -A FORWARD -i xfrm0 -m conntrack --ctstate DNAT -j ACCEPT
                for protocol in udp tcp; do
                    t -t nat -A PREROUTING -i xfrm0 -p $protocol --dport 7001 -j DNAT --to-destination %1$s:7005
                    t -t nat -A PREROUTING -i xfrm0 -p $protocol --dport 7002 -j DNAT --to-destination %2$s:7005
                done
                """.formatted(client, guest));
        site.assertAnswer(Place.FAR, Place.GATEWAY, family, new int[] {7001, 7002, 7003}, 7001, 7002, 7003);
        assertEquals(
                "7001 %1$s, 7002 %1$s".formatted(Place.FAR.address(family)),
                site.connect(Place.FAR, Place.GATEWAY, family, 7001, 7002));
        String asked = " and dst port 7005";
        assertTrue(!site.packets("eth0", "dst host " + Place.CLIENT.address(family) + asked)
                .isEmpty());
        assertTrue(!site.packets("eth0", "dst host " + Place.GUEST.address(family) + asked)
                .isEmpty());
        // Nobody else has them published.
        site.assertAnswer(Place.WORLD, Place.OUTSIDE, family, new int[] {7001, 7002});
    }

    private static String bracketed(Place place, Family family) {
        String address = place.address(family);
        return family == Family.IPV4 ? address : "[" + address + "]";
    }

    @ParameterizedTest
    @MethodSource("programs")
    void shouldOpenNothingWhenRulesAreLoadedAnew(Iptables.Kind kind, Family family) {
        Iptables rules = rules(kind, family);
        rules.run("""
                t -A INPUT -p esp -j ACCEPT
                t -A FORWARD -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT
                t -t nat -A POSTROUTING -o eth0 -j MASQUERADE
                """);
        Path saved = site.scene().file("saved-rules");
        site.host().run("sh", "-ec", rules.program() + "-save >" + saved);
        List<Daemon> strays = site.startStrays();
        List<Daemon> streams = site.startStreams();
        String flush =
                kind == Iptables.Kind.NFT ? "nft flush ruleset" : "for table in nat filter; do t -t $table -F; done";
        rules.run("""
                for turn in 1 2 3 4 5 6 7 8 9 10; do
                    %1$s
                    %2$s-restore -w <%3$s
                    t -F
                    t -t nat -F
                    %2$s-restore -w <%3$s
                done
                """.formatted(flush, rules.program(), saved));
        site.assertStreamed(streams);
        strays.forEach(Daemon::close);
    }
}
