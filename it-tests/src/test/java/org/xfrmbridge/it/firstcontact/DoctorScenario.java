package org.xfrmbridge.it.firstcontact;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.xfrmbridge.it.harness.Requirement;
import org.xfrmbridge.it.harness.Requires;
import org.xfrmbridge.it.harness.Scene;
import org.xfrmbridge.lab.Attachment;
import org.xfrmbridge.lab.BridgeProcess;
import org.xfrmbridge.lab.Command;
import org.xfrmbridge.lab.Command.Result;
import org.xfrmbridge.lab.Daemon;
import org.xfrmbridge.lab.Namespace;

/**
 * Why: who cannot start a bridge wants to know what is missing. Topology: a host with an interface and a Linux bridge.
 * Steps: {@code xfrm-bridge doctor} where all is there, and where one thing after the other is not. Expected: it says
 * so, with what to do, and its exit code; the host stays as it is.
 */
@Requires({Requirement.ROOT, Requirement.TUN, Requirement.BRIDGE, Requirement.NFT})
class DoctorScenario {
    private static final List<String> PLAIN = List.of();

    private static Scene scene;
    private static Namespace host;
    private static Newcomer user;

    @BeforeAll
    static void start() {
        scene = new Scene("doctor");
        host = new Namespace(scene, "host");
        user = new Newcomer(scene, host);
        host.sysctl("ipv6.conf.default.disable_ipv6", 1);
        Namespace.connect(host, "eth0", new Namespace(scene, "other"), "eth0");
        host.run("sh", "-ec", """
                ip link add br0 type bridge forward_delay 0 mcast_snooping 0
                ip link set br0 up
                """);
    }

    @AfterAll
    static void end() {
        scene.close();
    }

    private static String ask(int exitCode, List<String> prefix, String... options) {
        List<String> line = new ArrayList<>(
                List.of("doctor", "--dir", user.directory("absent").toString()));
        line.addAll(List.of(options));
        String before = user.look();
        Result result = user.command(prefix, line.toArray(String[]::new)).result();
        assertEquals(exitCode, result.exitCode(), result.output());
        assertFalse(result.output().contains("Exception"), result.output());
        assertEquals(before, user.look());
        return result.output();
    }

    private static void assertSays(String line, String report) {
        assertTrue(report.contains("\n  " + line), report);
    }

    @Test
    void shouldFindAHostWellThatHasAll() {
        String report = ask(0, PLAIN);
        for (String line : List.of(
                "ok     rights: NET_ADMIN, NET_RAW",
                "ok     directory " + user.directory("absent") + '\n',
                "ok     /dev/net/tun\n",
                "ok     raw sockets\n",
                "ok     queues of netfilter\n",
                "ok     TAP devices\n",
                "ok     policy routing\n",
                "ok     nftables\n",
                "ok     place in the host's stack: free\n",
                "note   interface eth0: MTU 1500, up, can be given to --attach\n",
                "note   interface br0: MTU 1500, up, not for --attach: br0 is a bridge")) {
            assertSays(line, report);
        }
        assertFalse(report.contains("WRONG"), report);
        assertTrue(ask(0, PLAIN, "--json").contains("\"verdict\": \"OK\""));
    }

    /** A kernel without modules says itself what {@code ip xfrm} hears of it. */
    @Test
    @Requires(Requirement.XFRM_USER)
    void shouldSayWhetherTheKernelDoesEsp() {
        assumeFalse(Files.exists(Path.of("/proc/modules")), "this kernel has modules");
        String refused =
                Command.of("unshare", "--net", "sh", "-c", """
                        ip xfrm state add src 192.0.2.1 dst 192.0.2.2 proto esp spi 0x1 mode tunnel \\
                            enc 'ecb(cipher_null)' '' auth digest_null ''
                        """).result().output();
        assertSays(
                refused.isEmpty() ? "note   ESP of the kernel: there" : "ok     ESP of the kernel: not there",
                ask(0, PLAIN));
    }

    @Test
    void shouldMissTheTunDevice() {
        List<String> without = Newcomer.after("mkdir -p /dev/net && mount -t tmpfs none /dev/net");
        assertSays("WRONG  /dev/net/tun: not there: modprobe tun, or docker run --device", ask(1, without));
    }

    @Test
    void shouldMissRights() throws IOException {
        String report = ask(1, Newcomer.withoutNetAdmin());
        assertSays("WRONG  rights: no NET_ADMIN: docker run --cap-add NET_ADMIN", report);
        assertSays("WRONG  nftables: nftables are not permitted", report.replace("TAP devices", "nftables"));
    }

    @Test
    void shouldSayWhatOnlyRootSees() throws IOException {
        Newcomer nobody = user.withCopy();
        Result result = nobody.command(Newcomer.asNobody(), "doctor").result();
        assertEquals(1, result.exitCode(), result.output());
        assertSays("WRONG  rights: not root: sudo xfrm-bridge run", result.output());
        assertSays("?      place in the host's stack: it is tried in a network namespace", result.output());
        assertSays("?      firewall: its rules are shown to root only", result.output());
    }

    @Test
    @Requires(Requirement.DEBIAN_PYTHON)
    void shouldMissNetfilter() throws IOException {
        String report = ask(1, user.lacking("netfilter"));
        assertSays("WRONG  queues of netfilter: ", report);
        assertSays("WRONG  nftables: ", report);
        assertSays("ok     policy routing\n", report);
        assertTrue(report.contains("or stand in for one interface with --attach IFACE"), report);
    }

    /** A bridge does without them. */
    @Test
    @Requires(Requirement.DEBIAN_PYTHON)
    void shouldSayWhatFiltersOfTcAreFor() throws IOException {
        String report = ask(0, user.lacking("tc"));
        assertSays("note   filters of tc: what comes protected for groups, for link-local addresses, or for ", report);
        assertTrue(report.contains("load the modules sch_ingress, cls_u32 and act_mirred"), report);
    }

    @Test
    void shouldSeeThatItsNameIsTaken() {
        host.ip("link", "add", "xfrm0", "type", "veth", "peer", "name", "xfrm0p");
        try {
            assertSays(
                    "WRONG  place in the host's stack: there is an interface xfrm0 already: choose another name",
                    ask(1, PLAIN));
            assertSays("ok     place in the host's stack: free", ask(0, PLAIN, "--tap", "xfrm1"));
        } finally {
            host.ip("link", "delete", "xfrm0");
        }
    }

    @Test
    void shouldJudgeAnInterfaceForAttach() {
        assertSays("ok     attach eth0\n", ask(0, PLAIN, "--attach", "eth0"));
        assertSays("WRONG  attach br0: br0 is a bridge", ask(1, PLAIN, "--attach", "br0"));
        assertSays("WRONG  attach nope: there is no interface nope", ask(1, PLAIN, "--attach", "nope"));
    }

    @Test
    void shouldSeeWhatIsReadOnlyOrMayNotRunPrograms() {
        List<String> noexec = Newcomer.after("mount -t tmpfs -o noexec none /mnt; cd /mnt");
        String report = user.command(noexec, "doctor")
                .with("XFRM_BRIDGE_JAVA_OPTIONS", "-Djava.io.tmpdir=/mnt")
                .result()
                .output();
        assertSays(
                "WRONG  directory /mnt: no library can be unpacked there: it is mounted noexec: name another one by",
                report);
        Newcomer.assertSentence(
                "name another one by XFRM_BRIDGE_JAVA_OPTIONS=-Djava.io.tmpdir=DIR",
                user.command(noexec, "run", "--dir", user.directory("absent").toString())
                        .with("XFRM_BRIDGE_JAVA_OPTIONS", "-Djava.io.tmpdir=/mnt")
                        .result());
        Result readOnly = user.command(
                        Newcomer.after("mount -t tmpfs -o ro none /mnt"), "doctor", "--dir", "/mnt/bridge")
                .result();
        assertSays("WRONG  directory /mnt/bridge: /mnt cannot be written: choose another", readOnly.output());
    }

    @Test
    void shouldTellWhichDaemonsSpeakToWhom() throws IOException {
        Path charon = user.directory("charon");
        Command.of("cp", "/usr/bin/sleep", charon.toString()).run();
        try (Daemon alone =
                host.start("a daemon", user.directory("daemon.log"), host.command(charon.toString(), "99"))) {
            assertSays("WRONG  charon (process " + alone.pid() + "): speaks to the kernel's IPsec", ask(1, PLAIN));
        }
        Command under = host.command(charon.toString(), "99")
                .with("LD_PRELOAD", BridgeProcess.library().toString())
                .with("XFRM_BRIDGE_DIR", "/run/of-it");
        try (Daemon diverted = host.start("a daemon", user.directory("daemon.log"), under)) {
            assertSays(
                    "ok     charon (process " + diverted.pid() + "): speaks to the bridge in /run/of-it",
                    ask(0, PLAIN));
        }
    }

    @Test
    void shouldFindRulesForAKernel() {
        host.run(
                "sh",
                "-ec",
                "nft add table ip f; nft 'add chain ip f c'; nft add rule ip f c meta ipsec exists accept");
        try {
            assertSays("note   firewall: 1 rule of the firewall is for a kernel's IPsec", ask(0, PLAIN));
        } finally {
            host.run("nft", "delete", "table", "ip", "f");
        }
    }

    @Test
    void shouldSeeABridgeThatRuns() {
        Namespace own = new Namespace(scene, "own");
        BridgeProcess bridge = BridgeProcess.start(scene, own, Attachment.STACK);
        Result result = new Newcomer(scene, own)
                .command(PLAIN, "doctor", "--dir", bridge.directory().toString())
                .result();
        assertSays("ok     directory " + bridge.directory() + ": a bridge runs there", result.output());
        assertEquals(0, result.exitCode(), result.output());
        bridge.stop();
    }
}
