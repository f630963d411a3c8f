package org.xfrmbridge.it.instack;

import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.xfrmbridge.it.harness.Requirement;
import org.xfrmbridge.it.harness.Requires;
import org.xfrmbridge.lab.Await;
import org.xfrmbridge.lab.BridgeProcess;
import org.xfrmbridge.lab.Command;
import org.xfrmbridge.lab.Daemon;
import org.xfrmbridge.lab.Gateway;
import org.xfrmbridge.lab.Gateway.Family;
import org.xfrmbridge.lab.Side;

/**
 * Why: programs that configure networks remove what they do not know, and take devices for theirs. Topology: two hosts,
 * bridges in their stacks, a tunnel; the left one has its address from a DHCP server, for two minutes, to be renewed
 * every few seconds. Steps: in turn systemd-networkd, NetworkManager, dhcpcd and ifupdown get it, renew it, configure
 * the device anew and are started again, under pings. udev sets what a distribution's sysctl.d says, for the bridge's
 * device, too. Expected: pings go on, the bridge's rules and routes are there, what the packaging has keeps the
 * programs from its device, and nothing in the clear is on the wire.
 */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@Requires({
    Requirement.ROOT,
    Requirement.TUN,
    Requirement.TCPDUMP,
    Requirement.FPING,
    Requirement.BRIDGE,
    Requirement.DHCP,
    Requirement.NETWORK_PROGRAMS
})
class NetworkProgramsScenario {
    private static final Duration SOON = Duration.ofSeconds(30);
    private static final String LEASED = "192.0.2.1/24";
    private static final String NETWORKD = "/lib/systemd/systemd-networkd";
    private static final Pattern ANSWER = Pattern.compile("\\[\\d+], \\d+ bytes");
    private static final Path PACKAGING = BridgeProcess.program().resolveSibling("packaging");

    /** As Fedora, Arch and Debian 13 have it. */
    private static final String FILTERS = """
            net.ipv4.conf.default.rp_filter = 2
            net.ipv4.conf.*.rp_filter = 2
            """;

    private static final String FIRST = """
            [Match]
            Name=eth0
            [Network]
            DHCP=ipv4
            IPv6AcceptRA=no
            [DHCPv4]
            UseHostname=no
            UseDNS=no
            """;
    /** But for lo, which has the inner addresses: since systemd 257 networkd would take them away. */
    private static final String ALL = """
            [Match]
            Name=!lo
            [Network]
            DHCP=yes
            """;

    private static final String PROFILE = """
            [connection]
            id=wire
            type=ethernet
            interface-name=eth0
            [ipv4]
            method=auto
            dhcp-send-hostname=false
            [ipv6]
            method=link-local
            """;
    private static final String HERE_ALONE = """
            [main]
            plugins=keyfile
            dns=none
            rc-manager=unmanaged
            hostname-mode=none
            """;

    private TwoUplinks uplinks;
    private Daemon server;
    private Daemon ping;
    private String ofTheBridge;

    @BeforeAll
    void start() {
        uplinks = TwoUplinks.start("network-programs");
        ofTheBridge = ofTheBridge();
    }

    @AfterAll
    void end() {
        if (uplinks != null) {
            uplinks.close();
        }
    }

    @BeforeEach
    void unplug() {
        uplinks.ip("address flush dev eth0");
        server = uplinks.startDhcpServer();
        ping = uplinks.ping(Family.IPV4).start(uplinks.hosts().scene(), 10_000, 20);
    }

    @AfterEach
    void shouldHaveNothingInTheClear() {
        ping.interrupt();
        server.terminate();
        uplinks.assertNothingClear();
    }

    private String ofTheBridge() {
        return uplinks.left()
                .run(
                        "sh",
                        "-ec",
                        "for f in -4 -6; do ip $f rule; ip $f route show table 58; done; ip -br link show xfrm0");
    }

    private long answers() {
        return ANSWER.matcher(ping.output()).results().count();
    }

    private void assertGoesOn(String after) {
        Await.until(
                "the address after " + after,
                SOON,
                () -> uplinks.ip("-br address show eth0").contains(LEASED));
        long before = answers();
        Await.until("ten answers after " + after, SOON, () -> answers() >= before + 10);
        Await.until("rules and routes after " + after, SOON, () -> ofTheBridge().equals(ofTheBridge));
    }

    private NetworkPrograms prepare(Map<String, String> files) {
        Map<String, String> all = new HashMap<>(files);
        all.put("etc/sysctl.d/50-default.conf", FILTERS);
        // Some look up the host's own name, which would be a question on the wire.
        all.put("etc/resolv.conf", "");
        all.put("usr/lib/systemd/network/00-xfrm-bridge.network", packaged("00-xfrm-bridge.network"));
        all.put("usr/lib/NetworkManager/conf.d/xfrm-bridge.conf", packaged("NetworkManager.conf"));
        return new NetworkPrograms(uplinks.hosts().scene(), uplinks.left(), all);
    }

    private static String packaged(String name) {
        return Command.text(PACKAGING.resolve(name));
    }

    private long acknowledged() {
        return server.output().lines().filter(line -> line.contains("DHCPACK")).count();
    }

    private void awaitRenewals() {
        long before = acknowledged();
        Await.until("two renewals", SOON, () -> acknowledged() >= before + 2);
    }

    /** Whoever takes rules away is told of in the bridge's log. */
    private void awaitRulesTaken(String by, Runnable what) {
        long before = taken();
        what.run();
        Await.until("rules taken away by " + by, SOON, () -> taken() > before);
        assertGoesOn(by);
    }

    private long taken() {
        String log = uplinks.hosts().bridge(Side.LEFT).log();
        return log.lines()
                .filter(line -> line.contains("somebody has taken away rules"))
                .count();
    }

    @Test
    void shouldStandBesideNetworkd() {
        try (NetworkPrograms programs = prepare(Map.of("etc/systemd/network/50-first.network", FIRST))) {
            Daemon[] networkd = new Daemon[1];
            awaitRulesTaken("the start", () -> networkd[0] = programs.start(NETWORKD));
            awaitRenewals();
            awaitRulesTaken("reconfigure", () -> programs.run("networkctl", "reconfigure", Gateway.DEVICE));
            programs.run(
                    "sh", "-ec", "printf %s '" + ALL + "' >/run/systemd/network/99-all.network; networkctl reload");
            assertGoesOn("a file for all devices");
            assertTrue(setUp(programs).contains("unmanaged"), setUp(programs));
            programs.run("sh", "-ec", "ln -s /dev/null /run/systemd/network/00-xfrm-bridge.network; networkctl reload");
            Await.until("networkd to take xfrm0", SOON, () -> !setUp(programs).contains("unmanaged"));
            assertGoesOn("xfrm0 is networkd's");
            // What systemctl restart does.
            programs.run("kill", "-USR2", Long.toString(networkd[0].pid()));
            networkd[0].finish(SOON);
            awaitRulesTaken("the next start", () -> programs.start(NETWORKD));
        }
    }

    private static String setUp(NetworkPrograms programs) {
        return programs.run("networkctl", "--no-legend", "list", "xfrm0");
    }

    /** The filter of all devices gives the bridge's one an address, without which NetworkManager has it for unused. */
    @Test
    void shouldStandBesideNetworkManager() {
        assumeFalse(
                Files.exists(Path.of(Requirement.networkPrograms(), "usr/lib/netplan")),
                "Ubuntu's NetworkManager goes by netplan, which wants systemd as the first process");
        uplinks.left().sysctl("ipv4.conf.all.rp_filter", 1);
        Map<String, String> files = Map.of("etc/NetworkManager/conf.d/here.conf", HERE_ALONE);
        try (NetworkPrograms programs = prepare(files)) {
            programs.run(
                    "sh",
                    "-ec",
                    "mkdir -p /run/NetworkManager/system-connections; umask 077; printf %s '" + PROFILE
                            + "' >/run/NetworkManager/system-connections/wire.nmconnection");
            Daemon manager = programs.start("NetworkManager", "--no-daemon");
            assertGoesOn("the start");
            assertTrue(programs.run("nmcli", "-g", "GENERAL.STATE", "device", "show", "xfrm0")
                    .contains("unmanaged"));
            awaitRenewals();
            programs.run("nmcli", "connection", "down", "wire");
            programs.run("nmcli", "connection", "up", "wire");
            assertGoesOn("down and up");
            programs.run("nmcli", "device", "reapply", Gateway.DEVICE);
            assertGoesOn("reapply");
            manager.terminate();
            programs.start("NetworkManager", "--no-daemon");
            assertGoesOn("the next start");
            programs.run("nmcli", "connection", "down", "wire");
        } finally {
            uplinks.left().sysctl("ipv4.conf.all.rp_filter", 0);
        }
    }

    @Test
    void shouldStandBesideDhcpcd() {
        try (NetworkPrograms programs = prepare(Map.of())) {
            String[] line = {"dhcpcd", "--nobackground", "--noarp", "--noipv4ll", "--nohook", "resolv.conf,hostname"};
            Daemon dhcpcd = programs.start(line);
            assertGoesOn("the start");
            awaitRenewals();
            programs.run("dhcpcd", "--rebind", Gateway.DEVICE);
            assertGoesOn("rebind");
            dhcpcd.terminate();
            programs.start(line);
            assertGoesOn("the next start");
        }
    }

    @Test
    void shouldStandBesideIfupdown() {
        Map<String, String> files = Map.of("etc/network/interfaces", "iface eth0 inet dhcp\n");
        try (NetworkPrograms programs = prepare(files)) {
            for (int i = 0; i < 2; i++) {
                programs.run("ifup", Gateway.DEVICE);
                assertGoesOn("ifup");
                awaitRenewals();
                programs.run("ifdown", Gateway.DEVICE);
            }
        }
    }
}
