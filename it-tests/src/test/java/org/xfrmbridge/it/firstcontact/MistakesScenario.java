package org.xfrmbridge.it.firstcontact;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.xfrmbridge.it.harness.QemuGuest;
import org.xfrmbridge.it.harness.Requirement;
import org.xfrmbridge.it.harness.Requires;
import org.xfrmbridge.it.harness.Scene;
import org.xfrmbridge.lab.Attachment;
import org.xfrmbridge.lab.Await;
import org.xfrmbridge.lab.BridgeProcess;
import org.xfrmbridge.lab.Command;
import org.xfrmbridge.lab.Daemon;
import org.xfrmbridge.lab.Lab;
import org.xfrmbridge.lab.Namespace;

/**
 * Why: the first commands of somebody who does not know it yet. Topology: a host with interfaces of many kinds; in some
 * tests a bridge on it. Steps: each mistake with the program as a user starts it. Expected: one sentence that says what
 * was wrong and what to do, no exit code 0, and a host on which nothing has changed.
 */
@Requires({Requirement.ROOT, Requirement.TUN, Requirement.BRIDGE, Requirement.NFT})
class MistakesScenario {
    private static final List<String> PLAIN = List.of();
    private static final Duration PATIENCE = Duration.ofSeconds(60);
    private static final Duration GUEST_LIMIT = Duration.ofMinutes(5);
    private static final List<String> GUEST_MODULES = List.of("tun", "veth", "wireguard", "ipvlan");
    private static final String GUEST_SCRIPT = """
            export XFRM_BRIDGE_JAVA_OPTIONS='-XX:TieredStopAtLevel=1 -XX:+UseSerialGC -Xmx96m'
            set -e
            ip link add eth0 type veth peer name peer
            ip link add wg0 type wireguard
            ip link add ip0 link eth0 type ipvlan
            ip link >/run/before
            for device in wg0 ip0 eth0; do
                ! %s run --dir /run/bridge --attach $device
            done
            ip link | diff /run/before -
            """;

    private static Scene scene;
    private static Namespace host;
    private static Newcomer user;

    @BeforeAll
    static void start() {
        scene = new Scene("mistakes");
        host = new Namespace(scene, "host");
        Namespace other = new Namespace(scene, "other");
        user = new Newcomer(scene, host);
        host.sysctl("ipv6.conf.default.disable_ipv6", 1);
        for (String device : List.of("eth0", "eth1", "eth2", "port")) {
            Namespace.connect(host, device, other, device);
        }
        host.address("eth0", "192.0.2.1/24");
        host.run("sh", "-ec", """
                ip link add br0 type bridge forward_delay 0 mcast_snooping 0
                ip link set port master br0
                ip link set br0 up
                ip tuntap add dev tun0 mode tun
                ip link add mv0 link eth1 type macvlan mode bridge
                ip link set mv0 up
                ip link add mv1 link eth2 type macvlan mode bridge
                """);
        host.ip("link", "set", "mv1", "netns", other.name());
    }

    @AfterAll
    static void end() {
        scene.close();
    }

    /** A host of its own, with a bridge. */
    private static BridgeProcess bridge(Newcomer owner, Attachment attachment) {
        BridgeProcess bridge = BridgeProcess.launch(scene, owner.host(), attachment, List.of());
        bridge.awaitReady();
        return bridge;
    }

    private static Newcomer another(String role) {
        Namespace own = new Namespace(scene, role);
        own.sysctl("ipv6.conf.default.disable_ipv6", 1);
        own.ip("link", "add", "eth0", "type", "veth", "peer", "name", "peer");
        own.ip("link", "set", "peer", "up");
        own.ip("link", "set", "eth0", "up");
        own.address("eth0", "192.0.2.1/24");
        return new Newcomer(scene, own);
    }

    private static String absent() {
        return user.directory("absent").toString();
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "nope | there is no interface nope: \"ip link\" lists those that are",
                "lo   | lo is no Ethernet interface: attach to the one that carries the IPsec traffic",
                "tun0 | tun0 is no Ethernet interface: attach to the one that carries the IPsec traffic",
                "port | port is a port of br0: run without --attach",
                "br0  | br0 is a bridge, which cannot be a port of another one: run without --attach",
                "eth1 | eth1 is below mv0, of kind macvlan, which takes its frames: run without --attach",
                "eth2 | or a macvlan has its frames: run without --attach",
                "mv0  | mv0 is of kind macvlan, which gets frames for its own address alone: run without --attach",
            })
    void shouldSayWhatCannotBeAttached(String device, String said) {
        user.assertRefused(said, PLAIN, "run", "--dir", absent(), "--attach", device);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "wireguard                   | wg0 is no Ethernet interface",
                "ipvlan                      | wg0 is of kind ipvlan, which gets frames for its own address alone",
            })
    void shouldSayThatDevicesOfOtherKindsCannotBeAttached(String kind, String said) {
        String[] make = kind.equals("ipvlan")
                ? new String[] {"ip", "link", "add", "wg0", "link", "eth0", "type", kind}
                : new String[] {"ip", "link", "add", "wg0", "type", kind};
        assumeTrue(host.command(make).result().succeeded(), "this kernel has no " + kind);
        try {
            user.assertRefused(said, PLAIN, "run", "--dir", absent(), "--attach", "wg0");
        } finally {
            host.ip("link", "delete", "wg0");
        }
    }

    /** Where this machine's kernel may have no modules for such devices. */
    @Test
    @EnabledIfSystemProperty(named = "guest.links", matches = "true", disabledReason = "in nightly runs")
    @Requires(Requirement.QEMU_FILES)
    void shouldSayInAGuestWhatCannotBeAttached() {
        try (Scene guest = new Scene("mistakes-guest")) {
            List<String> said = QemuGuest.runOnHostFiles(
                            guest, GUEST_MODULES, GUEST_SCRIPT.formatted(BridgeProcess.program()), GUEST_LIMIT)
                    .lines()
                    .toList();
            assertEquals(
                    List.of(
                            "xfrm-bridge: wg0 is no Ethernet interface: attach to the one that carries the IPsec"
                                    + " traffic",
                            "xfrm-bridge: ip0 is of kind ipvlan, which gets frames for its own address alone: run"
                                    + " without --attach",
                            "xfrm-bridge: eth0 is below ip0, of kind ipvlan, which takes its frames: run without"
                                    + " --attach, or delete ip0"),
                    said);
        }
    }

    @ParameterizedTest
    @EnumSource(Attachment.class)
    void shouldSayWhoseRightsAreMissing(Attachment attachment) throws IOException {
        String[] run = run(attachment, absent());
        user.assertRefused("the container needs NET_ADMIN", Newcomer.withoutNetAdmin(), run);
        Newcomer nobody = user.withCopy();
        nobody.assertRefused("run it as root (sudo)", Newcomer.asNobody(), run(attachment, "/run/xfrm-bridge-absent"));
        Path own = user.directory("nobodys");
        Command.of("install", "-d", "-o", "nobody", own.toString()).run();
        nobody.assertRefused(
                "attaching needs root: run it with sudo", Newcomer.asNobody(), run(attachment, own.toString()));
    }

    private static String[] run(Attachment attachment, String directory) {
        return attachment == Attachment.STACK
                ? new String[] {"run", "--dir", directory}
                : new String[] {"run", "--dir", directory, "--attach", "eth0"};
    }

    @ParameterizedTest
    @EnumSource(Attachment.class)
    void shouldSayThatThereIsNoTunDevice(Attachment attachment) {
        List<String> without = Newcomer.after("mkdir -p /dev/net && mount -t tmpfs none /dev/net");
        user.assertRefused("there is no /dev/net/tun: load the tun module", without, run(attachment, absent()));
    }

    @ParameterizedTest
    @Requires(Requirement.DEBIAN_PYTHON)
    @CsvSource(
            delimiter = '|',
            value = {
                "netfilter  | queues of netfilter | load the module nfnetlink_queue, or ",
                "nf_tables  | nftables            | load the module nf_tables, or ",
                "rules      | policy routing      |",
                "rules-ipv6 | policy routing      |",
            })
    void shouldSayWhatTheKernelLacks(String lacking, String want, String remedy) throws IOException {
        user.assertRefused(
                "there is no place in the host's stack, for want of " + want,
                user.lacking(lacking),
                run(Attachment.STACK, absent()));
        user.assertRefused(
                "): %sstand in for one interface with --attach IFACE".formatted(remedy == null ? "" : remedy + " "),
                user.lacking(lacking),
                run(Attachment.STACK, absent()));
    }

    @ParameterizedTest
    @EnumSource(Attachment.class)
    void shouldSayThatAnotherBridgeIsThere(Attachment attachment) {
        Newcomer second = another("second-" + attachment.device());
        BridgeProcess first = bridge(second, attachment);
        String there = first.directory().toString();
        try {
            second.assertRefused("a bridge is running in " + there, PLAIN, run(Attachment.STACK, there));
            second.assertRefused("a bridge is running in " + there, PLAIN, run(Attachment.WIRE, there));
            second.assertRefused("a bridge is running in " + there + ": end it", PLAIN, "detach", "--dir", there);
            if (attachment == Attachment.STACK) {
                second.assertRefused("there is an interface xfrm0 already", PLAIN, run(attachment, absent()));
                second.assertRefused(
                        "routing table 58 has routes already",
                        PLAIN,
                        "run",
                        "--dir",
                        absent(),
                        "--tap",
                        "xfrm1",
                        "--mark-bit",
                        "0x20000000");
            } else {
                second.assertRefused("eth0 has a bridge already", PLAIN, run(attachment, absent()));
                second.assertRefused(
                        "xfrm0 belongs to a bridge already", PLAIN, "run", "--dir", absent(), "--attach", "xfrm0");
            }
        } finally {
            first.stop();
        }
    }

    @Test
    void shouldSayThatLoopbackIsDown() {
        Newcomer other = another("down");
        other.host().ip("link", "set", "lo", "down");
        other.assertRefused("the interface lo is down", PLAIN, run(Attachment.STACK, absent()));
    }

    @Test
    void shouldSayThatNothingCanBeWrittenThere() {
        List<String> readOnly = Newcomer.after("mount -t tmpfs -o ro none /mnt");
        user.assertRefused(
                "no files can be made in /mnt/bridge: choose another directory with --dir",
                readOnly,
                run(Attachment.STACK, "/mnt/bridge"));
        user.assertRefused("is too long for sockets", PLAIN, run(Attachment.STACK, absent() + "/x".repeat(60)));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "mark-openend=0x10 | line 2: there is no option \"mark-openend\": say \"mark-opened\"",
                "attach            | line 2: \"attach\" needs a value",
                "flows=many        | invalid value for option '--flows': 'many' is not an int",
                "mark-bit=3        | --mark-bit: a number with one bit",
            })
    void shouldSayWhatIsWrongInAConfigurationFile(String line, String said) throws IOException {
        String text = "# comment\n" + line + "\n";
        String file = user.write("wrong.conf", text).toString();
        user.assertRefused(said, PLAIN, "run", "--dir", absent(), "--config", file);
        user.assertRefused(said, user.configured(text), "run", "--dir", absent());
    }

    @Test
    void shouldSayThatThereIsNoJdk() throws IOException {
        user.assertRefused("there is no JDK 25 or newer", Newcomer.withoutJdk(), run(Attachment.STACK, absent()));
        String old = user.write("jdk/release", "JAVA_VERSION=\"17.0.13\"\n")
                .getParent()
                .toString();
        user.write("jdk/bin/javac", "#!/bin/sh\n").toFile().setExecutable(true);
        user.assertRefused(
                "there is no JDK 25 or newer (that of JAVA_HOME is 17.0.13): ",
                Newcomer.withoutJdk(old),
                run(Attachment.STACK, absent()));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "help                     | there is no command help: see \"xfrm-bridge --help\"",
                "--dir /x stat            | --dir goes behind the command: say xfrm-bridge stat --dir",
                "--dir /x exec -- true    | --dir goes behind the command: say xfrm-bridge exec --dir",
                "start                    | there is no command start: say stat",
                "run --atach eth0         | there is no option --atach: say --attach",
                "run eth0                 | \"eth0\" is one word too many",
                "exec --kernel 6.12 -- ls | unknown option --kernel",
                "exec                     | no command",
            })
    void shouldSayWhatIsWrongWithACommandLine(String words, String said) {
        user.assertRefused(said, PLAIN, words.split(" "));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "exec -- true | no bridge in DIR: start one with",
                "stat         | no bridge answers in DIR: start one with",
            })
    void shouldSayThatThereIsNoBridge(String words, String said) {
        user.assertRefused(
                said.replace("DIR", absent()), List.of("env", "XFRM_BRIDGE_DIR=" + absent()), words.split(" "));
    }

    @Test
    void shouldSayWhatExecCannotRun() throws IOException {
        Newcomer owner = another("exec");
        BridgeProcess bridge = bridge(owner, Attachment.STACK);
        String there = bridge.directory().toString();
        Path copy = user.write("program.c", "int main(void) { return 0; }\n");
        Command.of("cc", "-static", "-o", user.directory("static").toString(), copy.toString())
                .run();
        Command.of(
                        "sh",
                        "-ec",
                        "cp /usr/bin/id \"$1\"; chown nobody \"$1\"; chmod 4755 \"$1\"",
                        "sh",
                        user.directory("setuid").toString())
                .run();
        try {
            for (String[] subject : new String[][] {
                {user.directory("static").toString(), "is a static program"},
                {user.directory("setuid").toString(), "exec --force runs it all the same"},
                {"no-such-program", "there is no command no-such-program"},
            }) {
                owner.assertRefused(subject[1], PLAIN, "exec", "--dir", there, "--", subject[0]);
            }
        } finally {
            bridge.stop();
        }
    }

    @Test
    void shouldSayThatTheBridgeHasEndedMeanwhile() {
        Newcomer owner = another("ended");
        BridgeProcess bridge = bridge(owner, Attachment.STACK);
        String there = bridge.directory().toString();
        bridge.kill9();
        owner.assertRefused(
                "the bridge in %s has ended: start it again with \"xfrm-bridge run --dir %1$s\"".formatted(there),
                PLAIN,
                "exec",
                "--dir",
                there,
                "--",
                "true");
        owner.assertRefused("no bridge answers in " + there, PLAIN, "stat", "--dir", there);
        owner.command(PLAIN, "detach", "--dir", there).run();
    }

    @Test
    void shouldSayAtATerminalThatTheBridgeHasEndedUnderACommand() {
        Newcomer owner = another("ended-under");
        BridgeProcess bridge = bridge(owner, Attachment.STACK);
        String there = bridge.directory().toString();
        Path started = owner.directory("started");
        Path goOn = owner.directory("go-on");
        Command.of("mkfifo", goOn.toString()).run();
        String commands = "ip xfrm state count; touch %s; read _ <%s; ip xfrm state".formatted(started, goOn);
        Daemon shell = owner.host()
                .start(
                        "a shell under exec",
                        owner.directory("shell.log"),
                        owner.host()
                                .command(
                                        "script",
                                        "-qec",
                                        "%s exec --dir %s -- sh -c '%s'".formatted(owner.program(), there, commands),
                                        "/dev/null"));
        Await.until("the shell to have asked", PATIENCE, () -> Files.exists(started));
        bridge.kill9();
        Lab.write(goOn, "\n");
        String said = shell.finish(PATIENCE);
        assertTrue(said.contains("xfrm-bridge: the bridge in " + there + " can't be reached"), said);
        assertTrue(said.contains("see \"xfrm-bridge status --dir " + there + "\""), said);
        owner.command(PLAIN, "detach", "--dir", there).run();
    }
}
