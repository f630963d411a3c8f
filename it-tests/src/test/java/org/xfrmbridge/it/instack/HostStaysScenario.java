package org.xfrmbridge.it.instack;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.MethodOrderer.OrderAnnotation;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestMethodOrder;
import org.xfrmbridge.it.harness.ClearPackets;
import org.xfrmbridge.it.harness.Ping;
import org.xfrmbridge.it.harness.Requirement;
import org.xfrmbridge.it.harness.Requires;
import org.xfrmbridge.it.harness.Scene;
import org.xfrmbridge.it.harness.Sniffer;
import org.xfrmbridge.lab.Attachment;
import org.xfrmbridge.lab.Await;
import org.xfrmbridge.lab.BridgeProcess;
import org.xfrmbridge.lab.Namespace;

/**
 * Why: a bridge in the stack moves nothing of its host, and follows what becomes of the host's devices. Topology: a
 * host with two wires to a peer, and a host whose only device is a macvlan; on both a bridge. The first has an address
 * with a lifetime, routes with sources, next hop objects and several next hops, and forwards nothing. Steps: the host's
 * traffic before and after; its lease is renewed; its device gets a smaller MTU, loses its carrier, goes and comes
 * back; its status is asked; the bridge ends and is detached. Expected: addresses, routes and rules of the host are
 * untouched, all it sends arrives, what a policy protects is ESP on all wires or is not there, and in the end nothing
 * of the bridge is left.
 */
@Requires({
    Requirement.ROOT,
    Requirement.TUN,
    Requirement.BRIDGE,
    Requirement.NFT,
    Requirement.TCPDUMP,
    Requirement.FPING
})
@TestMethodOrder(OrderAnnotation.class)
class HostStaysScenario {
    private static final Duration PATIENCE = Duration.ofSeconds(30);
    private static final String PEER = "192.0.2.2";
    private static final String PROTECTED = "198.51.100.1";
    private static final String KEY = " aead 'rfc4106(gcm(aes))' 0x1111111111111111111111111111111111111111 128\n";
    /** How long an address is valid, and what counts packets. */
    private static final Pattern PASSING = Pattern.compile("\\d+sec|packets \\d+ bytes \\d+");

    private static final Pattern RENEWED = Pattern.compile("valid_lft 3[0-9]{3}sec");

    private static Scene scene;
    private static TwoWires wires;
    private static Namespace host;
    private static Namespace macvlan;
    private static BridgeProcess bridge;
    private static BridgeProcess macvlanBridge;
    private static String before;
    private static String rulesBefore;

    @BeforeAll
    static void start() {
        scene = new Scene("host-stays");
        wires = TwoWires.start(scene);
        host = wires.host();
        host.run("sh", "-ec", """
                ip address change 192.0.2.1/24 dev eth0 valid_lft 600 preferred_lft 600
                ip route add 10.60.0.0/16 via 203.0.113.2 dev eth1 src 192.0.2.1
                ip nexthop add id 10 via 192.0.2.2 dev eth0
                ip route add 10.64.0.0/16 nhid 10
                ip route add 10.63.0.0/16 nexthop via 192.0.2.2 dev eth0 nexthop via 203.0.113.2 dev eth1
                nft 'table ip filter { chain FORWARD { type filter hook forward priority filter; policy drop; }; }'
                sysctl -qw net.bridge.bridge-nf-call-iptables=1 2>/dev/null || true
                """);
        for (String number : List.of("60", "63", "64")) {
            wires.peer().address("lo", "10." + number + ".0.1/32");
        }
        macvlan = new Namespace(scene, "macvlan");
        wires.peer().ip("link", "add", "link", "one", "name", "mv", "type", "macvlan", "mode", "bridge");
        wires.peer().ip("link", "set", "mv", "netns", macvlan.name());
        macvlan.ip("link", "set", "mv", "name", "eth0", "up");
        macvlan.address("eth0", "192.0.2.3/24");
        before = ofTheHost();
        rulesBefore = rules();
        bridge = BridgeProcess.launch(scene, host, Attachment.STACK, List.of());
        macvlanBridge = BridgeProcess.launch(scene, macvlan, Attachment.STACK, List.of());
        bridge.awaitReady();
        macvlanBridge.awaitReady();
    }

    @AfterAll
    static void end() {
        scene.close();
    }

    private static String ofTheHost() {
        return passing(host.run("sh", "-ec", """
                for family in -4 -6; do ip -o $family address; ip $family route; done | grep -v xfrm0
                ip -o link | grep -v xfrm0
                ip nexthop
                nft list table ip filter
                """));
    }

    private static String rules() {
        return passing(host.run("sh", "-ec", "ip rule; ip -6 rule; nft list ruleset"));
    }

    private static String passing(String text) {
        return PASSING.matcher(text).replaceAll("-");
    }

    private static void assertAnswered(Namespace from, String source, String destination) {
        new Ping(from, source, destination).send().assertComplete();
    }

    /** A tunnel's outbound half, and the policy for one destination. */
    private static String protect(String destination, int spi, String from, String to) {
        return "ip xfrm state add src " + from + " dst " + to + " proto esp spi " + spi + " mode tunnel reqid " + spi
                + KEY + "ip xfrm policy add src 0.0.0.0/0 dst " + destination + " dir out tmpl src " + from + " dst "
                + to
                + " proto esp mode tunnel reqid " + spi + "\n";
    }

    private static int esp(int spi) {
        return wires.packets("ip proto 50 and ip[6:2] & 0x1fff = 0 and ip[20:4] = " + spi)
                .size();
    }

    private static void send(String destination, String... options) {
        String[] line = {"ping", "-n", "-q", "-c", "2", "-i", "0.2", "-W", "1", destination};
        String[] all = Arrays.copyOf(line, line.length + options.length);
        System.arraycopy(options, 0, all, line.length, options.length);
        host.command(all).result();
    }

    private static void assertNothingClearTo(String destination) {
        ClearPackets.assertNone(wires.packets("icmp and dst host " + destination));
    }

    private static void awaitEsp(int spi, int more, String destination, String... options) {
        int sofar = esp(spi);
        Await.until("ESP to " + destination, PATIENCE, () -> {
            send(destination, options);
            return esp(spi) >= sofar + more;
        });
    }

    @Test
    @Order(1)
    void shouldChangeNothingOfTheHostWhenItStarts() {
        assertEquals(before, ofTheHost());
        for (String destination : List.of(PEER, "10.60.0.1", "10.63.0.1", "10.64.0.1")) {
            assertAnswered(host, "192.0.2.1", destination);
        }
        assertAnswered(host, "2001:db8:1::1", "2001:db8:1::2");
        for (int bytes : List.of(65487, 65488, 65527)) {
            String output = host.run("ping", "-n", "-q", "-c", "1", "-s", Integer.toString(bytes), "2001:db8:1::2");
            assertTrue(output.contains(" 1 received"), output);
        }
    }

    @Test
    @Order(2)
    void shouldProtectByRoutesWithNextHopObjectsAndSourcesAndSeveralWays() {
        int spi = 0x2000;
        for (String far : List.of("10.60.0.2", "10.63.0.2", "10.64.0.2")) {
            bridge.run("sh", "-ec", protect(far, ++spi, "192.0.2.1", PEER));
            awaitEsp(spi, 2, far);
            assertNothingClearTo(far);
        }
    }

    @Test
    @Order(3)
    void shouldKeepTheAddressWhenItsLeaseIsRenewed() {
        host.ip("address", "change", "192.0.2.1/24", "dev", "eth0", "valid_lft", "3600", "preferred_lft", "3600");
        String addresses = host.ip("address");
        assertTrue(RENEWED.matcher(addresses).find(), addresses);
        assertEquals(addresses.indexOf("192.0.2.1/"), addresses.lastIndexOf("192.0.2.1/"));
        assertAnswered(host, "192.0.2.1", PEER);
    }

    @Test
    @Order(4)
    void shouldProtectWhatLeavesByAMacvlan() {
        assertAnswered(macvlan, "192.0.2.3", "192.0.2.1");
        macvlanBridge.run("sh", "-ec", protect("10.9.8.1", 0x2010, "192.0.2.3", "192.0.2.1"));
        // A macvlan reaches everybody but the device it stands on.
        macvlan.route("10.9.8.1", "192.0.2.1");
        Await.until("ESP of the macvlan", PATIENCE, () -> {
            macvlan.command("ping", "-n", "-c", "1", "-W", "1", "10.9.8.1").result();
            return esp(0x2010) > 0;
        });
        assertNothingClearTo("10.9.8.1");
    }

    @Test
    @Order(5)
    void shouldTellTheSmallerMtuOfADeviceAndCutToIt() {
        host.route(PROTECTED, PEER);
        bridge.run("sh", "-ec", protect(PROTECTED, 0x2020, "192.0.2.1", PEER));
        awaitEsp(0x2020, 2, PROTECTED, "-s", "1300");
        host.ip("link", "set", "eth0", "mtu", "1300");
        awaitEsp(0x2020, 4, PROTECTED, "-s", "1300", "-M", "dont");
        String longOnes = "src host 192.0.2.1 and dst host " + PEER + " and ip proto 50 and greater 1315";
        int sofar = wires.packets(longOnes).size();
        awaitEsp(0x2020, 4, PROTECTED, "-s", "1400", "-M", "dont");
        assertEquals(sofar, wires.packets(longOnes).size());
        // By the kernel: not every release's ping says how long it may be.
        Await.until("the sender to be told", PATIENCE, () -> {
            host.command("ping", "-n", "-c", "1", "-W", "1", "-M", "do", "-s", "1250", PROTECTED)
                    .result();
            return host.ip("route", "get", PROTECTED).contains(" mtu 1246");
        });
        assertNothingClearTo(PROTECTED);
        host.ip("link", "set", "eth0", "mtu", "1500");
    }

    @Test
    @Order(6)
    void shouldShowTheCarrierThatIsGone() {
        wires.peer().ip("link", "set", "one", "down");
        Await.until(
                "no carrier", PATIENCE, () -> host.ip("link", "show", "eth0").contains("NO-CARRIER"));
        send(PROTECTED);
        wires.peer().ip("link", "set", "one", "up");
        awaitEsp(0x2020, 2, PROTECTED);
        assertNothingClearTo(PROTECTED);
    }

    @Test
    @Order(7)
    void shouldStayClosedWhenADeviceGoesAndComesBack() {
        macvlanBridge.stop();
        host.ip("link", "delete", "eth0");
        Namespace.connect(host, "eth0", wires.peer(), "three");
        try (Sniffer third = Sniffer.start(scene, wires.peer(), "three")) {
            wires.peer().address("three", "192.0.2.2/24");
            host.address("eth0", "192.0.2.1/24");
            host.route("default", PEER);
            host.ip("route", "replace", PROTECTED, "via", PEER);
            Await.until("ESP by the new device", PATIENCE, () -> {
                send(PROTECTED);
                return third.espFrames() > 2;
            });
            assertFalse(third.packets("arp").isEmpty());
            String status = bridge.status();
            assertTrue(status.contains("policies       4 out\ncovered        eth0, eth1, lan\n"), status);
            bridge.stop();
            assertTrue(bridge.statusOfEnded().contains("CLOSED         4 policies: "), bridge.statusOfEnded());
            send(PROTECTED);
            ClearPackets.assertNone(third.packets("icmp and dst host " + PROTECTED));
        }
        assertNothingClearTo(PROTECTED);
    }

    @Test
    @Order(8)
    void shouldLeaveNothingBehindWhenItIsDetached() {
        host.run(
                BridgeProcess.program().toString(),
                "detach",
                "--dir",
                bridge.directory().toString());
        assertEquals(rulesBefore, rules());
        assertFalse(host.ip("link").contains("xfrm"));
        assertEquals("", host.run("sh", "-c", "ip route show table 58; ip -6 route show table 58"));
        assertAnswered(host, "203.0.113.1", "10.60.0.1");
    }
}
