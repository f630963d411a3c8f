package org.xfrmbridge.it.instack;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.xfrmbridge.it.harness.BridgedPair;
import org.xfrmbridge.it.harness.Ping;
import org.xfrmbridge.it.harness.Requirement;
import org.xfrmbridge.it.harness.Requires;
import org.xfrmbridge.it.harness.Sniffer;
import org.xfrmbridge.lab.Await;
import org.xfrmbridge.lab.Daemon;
import org.xfrmbridge.lab.Gateway;
import org.xfrmbridge.lab.Namespace;
import org.xfrmbridge.lab.Side;
import org.xfrmbridge.lab.Topology;

/**
 * Why: tunnels that protect nothing themselves are put on top of ESP in transport mode, by policies for their protocol
 * or port. Topology: two hosts, bridges in their stacks, between them VXLAN of the kernel, with and without a device
 * that it is bound to, and GRE by a program on a raw socket (gre.py). Steps: pings of all sizes and a stream through
 * each; a VXLAN packet in the clear from somebody on the wire. Expected: all arrives, nothing but ESP is on the wire,
 * and what was in the clear is dropped and counted.
 */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@Requires({
    Requirement.ROOT,
    Requirement.TUN,
    Requirement.TCPDUMP,
    Requirement.FPING,
    Requirement.BRIDGE,
    Requirement.IPERF,
    Requirement.SCAPY
})
class OverlayScenario {
    private static final Duration SOON = Duration.ofSeconds(60);
    private static final String PORT = "proto udp dport 4789";
    private static final String STREAM_BYTES = "5M";
    private static final String STATES = """
            for way in '192.0.2.1 192.0.2.2 0x1001' '192.0.2.2 192.0.2.1 0x1002'; do
                set -- $way
                ip xfrm state add src $1 dst $2 proto esp spi $3 mode transport \
                    aead 'rfc4106(gcm(aes))' 0x000102030405060708090a0b0c0d0e0f10111213 128
            done
            """;

    private BridgedPair hosts;

    @BeforeAll
    void start() {
        hosts = BridgedPair.start("overlays", Topology::direct);
    }

    @AfterEach
    void shouldSendNothingInTheClear() {
        for (Side side : Side.values()) {
            host(side)
                    .run("sh", "-c", "for device in vx100 vx101 vx102; do ip link delete $device 2>/dev/null; done; :");
        }
        hosts.flush();
        hosts.sniffer().assertNothingClear();
    }

    @AfterAll
    void end() {
        if (hosts != null) {
            hosts.close();
        }
    }

    private static String outer(Side side) {
        return side == Side.LEFT ? "192.0.2.1" : "192.0.2.2";
    }

    private Namespace host(Side side) {
        return hosts.topology().site(side).host();
    }

    /** Transport mode both ways for what a selector takes. */
    private void protect(String selector) {
        for (Side side : Side.values()) {
            hosts.bridge(side)
                    .run("sh", "-ec", STATES + policy(side, selector, "out") + policy(side.other(), selector, "in"));
        }
    }

    private static String policy(Side from, String selector, String direction) {
        return "ip xfrm policy add src " + outer(from) + " dst " + outer(from.other()) + " " + selector + " dir "
                + direction + " tmpl proto esp mode transport\n";
    }

    private void assertCarries(String source, String destination, int mtuBytes) {
        Namespace left = host(Side.LEFT);
        int before = hosts.sniffer().espFrames();
        for (int payloadBytes : new int[] {56, mtuBytes - 28, 8000}) {
            new Ping(left, source, destination)
                    .payloadBytes(payloadBytes)
                    .send(3, 50)
                    .assertComplete();
        }
        assertTrue(hosts.sniffer().espFrames() - before >= 18);
        Daemon server = hosts.scene()
                .own(host(Side.RIGHT)
                        .start(
                                "iperf3",
                                hosts.scene().file("iperf3-" + source + ".log"),
                                host(Side.RIGHT).command("iperf3", "-s", "-1", "--forceflush", "-B", destination)));
        server.awaitOutput("Server listening", SOON);
        left.command("iperf3", "-c", destination, "-B", source, "-n", STREAM_BYTES)
                .within(SOON)
                .run();
        server.finish(SOON);
    }

    @Test
    void shouldProtectVxlanByItsPort() {
        protect(PORT);
        addVxlan(100, "");
        assertCarries("10.100.0.1", "10.100.0.2", 1450);
    }

    /** What is bound to a device passes by the rule that leads to the bridge. */
    @Test
    void shouldProtectVxlanThatIsBoundToADevice() {
        protect(PORT);
        addVxlan(101, "dev " + Gateway.DEVICE);
        assertCarries("10.101.0.1", "10.101.0.2", 1450);
    }

    @Test
    void shouldDropVxlanThatComesInTheClear() {
        for (Side side : Side.values()) {
            hosts.bridge(side).run("sh", "-ec", STATES + policy(side, PORT, "out"));
        }
        addVxlan(102, "");
        try (Sniffer sniffer = Sniffer.start(hosts.scene(), host(Side.LEFT), "vx102")) {
            sniffer.dismiss();
            forge(102, 1);
            // Nobody minds yet: so it would be seen below, too.
            Await.until("the first one", SOON, () -> forged(sniffer) == 1);
            hosts.bridge(Side.LEFT).run("sh", "-ec", policy(Side.RIGHT, PORT, "in"));
            forge(102, 2);
            Await.until(
                    "both to be dropped",
                    SOON,
                    () -> hosts.bridge(Side.LEFT).stat().contains("\"XfrmInTmplMismatch\": 2"));
            assertEquals(1, forged(sniffer));
        }
    }

    private static int forged(Sniffer sniffer) {
        return sniffer.packets("icmp[icmptype] = icmp-echo and src host 10.102.0.9")
                .size();
    }

    /** Both are there before one of them sends. */
    private void addVxlan(int vni, String rest) {
        String device = "vx" + vni;
        for (Side side : Side.values()) {
            host(side).run("sh", "-ec", """
                            ip link add %1$s type vxlan id %2$d dstport 4789 local %3$s remote %4$s %5$s
                            ip link set %1$s addrgenmode none
                            ip address add 10.%2$d.0.%6$d/24 dev %1$s
                            """.formatted(
                            device, vni, outer(side), outer(side.other()), rest, side.ordinal() + 1));
        }
        for (Side side : Side.values()) {
            host(side).ip("link", "set", device, "up");
        }
    }

    private void forge(int vni, int times) {
        Path program = TwoWires.program(
                "vxlan.py", hosts.scene().file("vxlan-" + hosts.scene().uniqueName()));
        Namespace wire = hosts.topology().wire();
        wire.run(
                Requirement.PYTHON,
                program.toString(),
                Topology.LEFT_PORT,
                macOfLeft(),
                "192.0.2.2",
                "192.0.2.1",
                Integer.toString(vni),
                Integer.toString(times));
    }

    private String macOfLeft() {
        return host(Side.LEFT).run("cat", "/sys/class/net/eth0/address").strip();
    }

    @Test
    void shouldProtectGreByItsProtocol() {
        protect("proto gre");
        Path program = TwoWires.program("gre.py", hosts.scene().file("gre.py"));
        List<Daemon> programs = new ArrayList<>();
        for (Side side : Side.values()) {
            Namespace host = host(side);
            Daemon gre = hosts.scene()
                    .own(host.start(
                            "gre.py",
                            hosts.scene().file(host.role() + "-gre.log"),
                            host.command(
                                    Requirement.PYTHON, program.toString(), "gre1", outer(side), outer(side.other()))));
            programs.add(gre);
            gre.awaitOutput("ready", SOON);
            host.ip("link", "set", "gre1", "mtu", "1476", "up");
            host.address("gre1", "10.47.0." + (side.ordinal() + 1) + "/24");
        }
        assertCarries("10.47.0.1", "10.47.0.2", 1476);
        // A stream's last packets would be answered by an ICMP error, in the clear as from a kernel.
        for (Side side : Side.values()) {
            host(side).ip("link", "set", "gre1", "down");
        }
        Await.until(
                "the wire to be silent",
                SOON,
                () -> hosts.sniffer().espFrames() == hosts.sniffer().espFrames());
        programs.forEach(Daemon::terminate);
    }
}
