package org.xfrmbridge.it.instack;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.xfrmbridge.it.harness.Ping;
import org.xfrmbridge.it.harness.Requirement;
import org.xfrmbridge.it.harness.Requires;
import org.xfrmbridge.it.harness.Scene;
import org.xfrmbridge.lab.Await;
import org.xfrmbridge.lab.Command;
import org.xfrmbridge.lab.Daemon;
import org.xfrmbridge.lab.Gateway;
import org.xfrmbridge.lab.Gateway.Family;
import org.xfrmbridge.lab.Lab;
import org.xfrmbridge.lab.Namespace;
import org.xfrmbridge.lab.Side;
import org.xfrmbridge.lab.Topology;

/**
 * Why: the network of a host changes while it is protected, and the host's own programs see to that as ever. Topology:
 * two hosts and two wires, bridges in their stacks, a tunnel. Steps: leases and prefixes that last seconds; routes that
 * flip, are multipath, are of nexthop objects or of policy routing; devices that lose their carrier, are renamed,
 * removed, made anew, shortened, put into a bridge or below a macvlan. Expected: pings pass as soon as the host has a
 * way, by that way, and nothing in the clear is on either wire.
 */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@Requires({Requirement.ROOT, Requirement.TUN, Requirement.TCPDUMP, Requirement.FPING, Requirement.BRIDGE})
class HostChangesScenario {
    private static final Duration SOON = Duration.ofSeconds(60);
    private static final String BY_FIRST = "route replace 10.2.0.1/32 via 192.0.2.2 src 10.1.0.1";
    private static final String OUTER_BY_SECOND = "route replace 192.0.2.2/32 via 198.51.100.2 src 192.0.2.1";
    private static final String LEASE = """
            timeout 20;
            supersede dhcp-lease-time 8;
            supersede dhcp-renewal-time 2;
            supersede dhcp-rebinding-time 5;
            """;
    private static final String ADVERTISEMENTS = """
            interface eth0 {
                AdvSendAdvert on; MinRtrAdvInterval 3; MaxRtrAdvInterval 4; AdvDefaultLifetime 8;
                prefix 2001:db8:77::/64 { AdvOnLink on; AdvAutonomous on; AdvValidLifetime 8; AdvPreferredLifetime 6; };
            };
            """;

    private TwoUplinks uplinks;

    @BeforeAll
    void start() {
        uplinks = TwoUplinks.start("host-changes");
    }

    @AfterEach
    void shouldBeAsBefore() {
        if (uplinks != null) {
            uplinks.assertLeavesBy(false);
        }
    }

    @AfterAll
    void end() {
        if (uplinks != null) {
            uplinks.close();
        }
    }

    @Test
    @Requires({Requirement.DHCP, Requirement.RADVD})
    void shouldKeepAddressesThatAreRenewed() {
        Scene scene = uplinks.hosts().scene();
        uplinks.ip("address delete 192.0.2.1/24 dev eth0");
        Daemon server = uplinks.startDhcpServer();
        Daemon client = startDhcpClient(scene);
        Await.until("a lease", SOON, () -> uplinks.ip("-br address show eth0").contains("192.0.2.1/24"));
        uplinks.ip(BY_FIRST);
        Daemon router = startRouter(scene);
        Daemon ping = uplinks.ping(Family.IPV4).start(scene, 600, 20);
        Await.until("five leases", SOON, () -> acknowledged(client) >= 5);
        Ping.Score.parse(ping.finish(SOON)).assertComplete();
        String addresses = uplinks.ip("address show dev eth0");
        assertTrue(addresses.contains("2001:db8:77:"), addresses);
        router.terminate();
        client.terminate();
        server.terminate();
        uplinks.left().run("sh", "-c", "ip address flush dev eth0");
        uplinks.addressFirst(Gateway.DEVICE);
    }

    private static long acknowledged(Daemon client) {
        return client.output()
                .lines()
                .filter(line -> line.startsWith("DHCPACK"))
                .count();
    }

    private Daemon startDhcpClient(Scene scene) {
        String configuration = Lab.write(scene.file("dhclient.conf"), LEASE).toString();
        String leases = scene.file("dhclient.leases").toString();
        String pid = scene.file("dhclient.pid").toString();
        Command command = uplinks.left()
                .command("dhclient", "-d", "-cf", configuration, "-lf", leases, "-pf", pid, Gateway.DEVICE);
        return scene.own(uplinks.left().start("dhclient", scene.file("dhclient.log"), command));
    }

    private Daemon startRouter(Scene scene) {
        uplinks.left().sysctl("ipv6.conf.eth0.accept_ra", 2);
        uplinks.right().sysctl("ipv6.conf.all.forwarding", 1);
        String configuration =
                Lab.write(scene.file("radvd.conf"), ADVERTISEMENTS).toString();
        String pid = scene.file("radvd.pid").toString();
        Command command = uplinks.right().command("radvd", "-n", "-C", configuration, "-p", pid, "-m", "stderr");
        return scene.own(uplinks.right().start("radvd", scene.file("radvd.log"), command));
    }

    @Test
    void shouldFollowRoutesThatFlip() {
        Daemon ping = uplinks.ping(Family.IPV4).start(uplinks.hosts().scene(), 150, 20);
        for (int flip = 0; flip < 5; flip++) {
            uplinks.ip(OUTER_BY_SECOND);
            Await.pause(Duration.ofMillis(200));
            uplinks.ip("route delete 192.0.2.2/32");
        }
        Ping.Score.parse(ping.finish(SOON)).assertComplete();
        uplinks.ip(OUTER_BY_SECOND);
        uplinks.assertLeavesBy(true);
        uplinks.ip("route delete 192.0.2.2/32");
    }

    @Test
    void shouldFollowMultipathRoutesAndNexthopObjects() {
        uplinks.ip("route replace 10.2.0.1/32 src 10.1.0.1 nexthop via 192.0.2.2 dev eth0"
                + " nexthop via 198.51.100.2 dev eth1");
        uplinks.assertLeavesBy(false);
        uplinks.ip("nexthop add id 10 via 192.0.2.2 dev eth0");
        uplinks.ip("nexthop add id 11 via 198.51.100.2 dev eth1");
        uplinks.ip("nexthop add id 12 group 10/11");
        uplinks.ip("route replace 10.2.0.1/32 nhid 12 src 10.1.0.1");
        uplinks.assertLeavesBy(false);
        uplinks.ip("route replace 192.0.2.2/32 nhid 11 src 192.0.2.1");
        uplinks.assertLeavesBy(true);
        uplinks.ip("nexthop replace id 11 via 192.0.2.2 dev eth0");
        uplinks.assertLeavesBy(false);
        uplinks.ip("nexthop flush");
        uplinks.ip(BY_FIRST);
    }

    @Test
    void shouldFollowPolicyRouting() {
        uplinks.ip("route add default via 198.51.100.2 dev eth1 table 100");
        uplinks.ip("rule add from 192.0.2.1 lookup 100 pref 1000");
        uplinks.assertLeavesBy(true);
        uplinks.ip("rule delete pref 1000");
        uplinks.assertLeavesBy(false);
        uplinks.ip("rule add fwmark 7 lookup 100 pref 1000");
        uplinks.assertLeavesBy(false);
        rekeyOutbound(" output-mark 7");
        uplinks.assertLeavesBy(true);
        rekeyOutbound("");
        uplinks.ip("rule delete pref 1000");
    }

    /**
     * Rules of others that come before the one that leads to the bridge: what passes by it is caught where it leaves.
     */
    @Test
    @Requires(Requirement.IPERF)
    void shouldKeepAStreamWhileRoutesAndRulesAndAddressesChange() {
        Scene scene = uplinks.hosts().scene();
        Namespace right = uplinks.right();
        Daemon server = scene.own(right.start(
                "iperf3",
                scene.file("iperf3-server.log"),
                right.command("iperf3", "-s", "-1", "--forceflush", "-B", TwoUplinks.INNER_RIGHT)));
        server.awaitOutput("Server listening", SOON);
        Daemon stream = scene.own(uplinks.left()
                .start(
                        "iperf3",
                        scene.file("iperf3-client.log"),
                        uplinks.left()
                                .command(
                                        "iperf3",
                                        "-c",
                                        TwoUplinks.INNER_RIGHT,
                                        "-B",
                                        TwoUplinks.INNER_LEFT,
                                        "-b",
                                        "8M",
                                        "-t",
                                        "600")));
        uplinks.awaitStreamBy(false);
        uplinks.ip(OUTER_BY_SECOND);
        uplinks.awaitStreamBy(true);
        uplinks.ip("route delete 192.0.2.2/32");
        uplinks.awaitStreamBy(false);
        uplinks.ip("address add 10.1.0.7/32 dev lo");
        uplinks.awaitStreamBy(false);
        uplinks.ip("address delete 10.1.0.7/32 dev lo");
        uplinks.awaitStreamBy(false);
        uplinks.ip("rule add lookup main pref 10");
        uplinks.awaitStreamBy(false);
        uplinks.ip("route add default via 198.51.100.2 dev eth1 table 101");
        uplinks.ip("rule add to 192.0.2.2 lookup 101 pref 5");
        uplinks.awaitStreamBy(true);
        uplinks.ip("rule delete pref 5");
        uplinks.ip("rule delete pref 10");
        uplinks.awaitStreamBy(false);
        uplinks.ip("nexthop add id 20 via 192.0.2.2 dev eth0");
        uplinks.ip("route add default nhid 20 src 10.1.0.1");
        uplinks.ip("route delete 10.2.0.1/32");
        uplinks.awaitStreamBy(false);
        uplinks.ip("nexthop replace id 20 via 198.51.100.2 dev eth1");
        uplinks.ip("route replace 192.0.2.2/32 nhid 20 src 192.0.2.1");
        uplinks.awaitStreamBy(true);
        uplinks.ip("nexthop flush");
        uplinks.ip(BY_FIRST);
        uplinks.awaitStreamBy(false);
        assertTrue(stream.isAlive(), stream::output);
        stream.interrupt();
        server.finish(SOON);
    }

    private void rekeyOutbound(String more) {
        String state = "src 192.0.2.1 dst 192.0.2.2 proto esp spi 0x1001";
        uplinks.hosts()
                .bridge(Side.LEFT)
                .run(
                        "sh",
                        "-ec",
                        "ip xfrm state delete " + state + "\nip xfrm state add " + state
                                + " mode tunnel flag af-unspec aead 'rfc4106(gcm(aes))'"
                                + " 0x000102030405060708090a0b0c0d0e0f10111213 128" + more);
    }

    @Test
    void shouldGoOnWhenADeviceComesBack() {
        uplinks.firstWire().ip("link", "set", Topology.LEFT_PORT, "down");
        assertEquals(0, uplinks.ping(Family.IPV4).send(3, 50).received());
        uplinks.firstWire().ip("link", "set", Topology.LEFT_PORT, "up");
        uplinks.assertLeavesBy(false);
        uplinks.ip("link set eth0 name wan0");
        uplinks.assertLeavesBy(false);
        uplinks.ip("link set wan0 name eth0");
        uplinks.ip("link delete eth0");
        assertEquals(0, uplinks.ping(Family.IPV4).send(3, 50).received());
        uplinks.plugFirst();
        uplinks.assertLeavesBy(false);
        uplinks.ping(Family.IPV6).send().assertComplete();
        assertSealsWhatIsBound();
    }

    @Test
    void shouldSealWhatIsBoundToADevice() {
        assertSealsWhatIsBound();
    }

    /** Bound to the device, a socket gets nothing that was opened, but what it sends has to be sealed. */
    private void assertSealsWhatIsBound() {
        int before = uplinks.hosts().sniffer().espFrames();
        for (String there : new String[] {TwoUplinks.INNER_RIGHT, "fd02::1"}) {
            uplinks.left()
                    .command("fping", "-q", "-c", "2", "-p", "50", "-t", "200", "-I", Gateway.DEVICE, there)
                    .result();
        }
        Await.until(
                "requests and answers as ESP",
                SOON,
                () -> uplinks.hosts().sniffer().espFrames() - before >= 8);
        uplinks.assertNothingClear();
    }

    @Test
    void shouldFollowAnAddressThatMovesToABridgeAndAMacvlan() {
        uplinks.ip("link add br0 type bridge");
        uplinks.ip("link set br0 up");
        uplinks.ip("address flush dev eth0");
        uplinks.ip("link set eth0 master br0");
        uplinks.addressFirst("br0");
        uplinks.assertLeavesBy(false);
        uplinks.ip("link delete br0");
        uplinks.ip("link add mv0 link eth0 type macvlan mode bridge");
        uplinks.ip("link set mv0 up");
        uplinks.addressFirst("mv0");
        uplinks.assertLeavesBy(false);
        uplinks.ip("link delete mv0");
        uplinks.addressFirst(Gateway.DEVICE);
    }

    @Test
    void shouldFollowTheMtuOfADevice() {
        for (int mtu : new int[] {1300, 1500}) {
            uplinks.ip("link set eth0 mtu " + mtu);
            uplinks.right().ip("link", "set", "eth0", "mtu", Integer.toString(mtu));
            for (int bytes : new int[] {mtu - 60, 1400, 8000}) {
                uplinks.ping(Family.IPV4).payloadBytes(bytes).send(3, 50).assertComplete();
                uplinks.ping(Family.IPV6).payloadBytes(bytes).send(3, 50).assertComplete();
            }
        }
    }
}
