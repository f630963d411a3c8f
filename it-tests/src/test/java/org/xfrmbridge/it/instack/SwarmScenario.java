package org.xfrmbridge.it.instack;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.time.Duration;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.MethodOrderer.OrderAnnotation;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestMethodOrder;
import org.xfrmbridge.it.harness.BridgedPair;
import org.xfrmbridge.it.harness.ClearPackets;
import org.xfrmbridge.it.harness.Ping;
import org.xfrmbridge.it.harness.Requirement;
import org.xfrmbridge.it.harness.Requires;
import org.xfrmbridge.it.harness.Scene;
import org.xfrmbridge.it.harness.Sniffer;
import org.xfrmbridge.lab.Await;
import org.xfrmbridge.lab.BridgeProcess;
import org.xfrmbridge.lab.Daemon;
import org.xfrmbridge.lab.Namespace;
import org.xfrmbridge.lab.Side;
import org.xfrmbridge.lab.Topology;

/**
 * Why: Docker Swarm encrypts an overlay network by a mark: iptables marks the VXLAN of its VNI, and a policy for that
 * mark protects it; what comes of that VNI without IPsec is dropped by a rule. Topology: two nodes, bridges in their
 * stacks; two overlays, whose devices are in namespaces of their own, the first of them encrypted. Steps: what Swarm
 * does on a node when an encrypted overlay comes there, with its three keys, and when keys are rotated, by hand
 * ({@code ip xfrm}, iptables) and under traffic; a node's firewall before and after what {@code xfrm-bridge firewall}
 * says; somebody on the wire sends VXLAN of both overlays. Expected: the encrypted overlay is ESP and nothing else, no
 * ping is lost while keys change, the other one stays in the clear, and what was forged comes into that one alone.
 */
@TestMethodOrder(OrderAnnotation.class)
@Requires({
    Requirement.ROOT,
    Requirement.TUN,
    Requirement.TCPDUMP,
    Requirement.FPING,
    Requirement.BRIDGE,
    Requirement.IPTABLES,
    Requirement.SCAPY
})
class SwarmScenario {
    private static final Duration SOON = Duration.ofSeconds(60);
    /** What Swarm gives its VNIs begins with 4096. */
    private static final int ENCRYPTED = 4097;

    private static final int CLEAR = 4098;
    private static final int LAST_KEY = 5;
    private static final String VNI_IS = "-p udp --dport 4789 -m u32 --u32 '0>>22&0x3C@12&0xFFFFFF00=%d'";
    private static final String STATE = "src %1$s dst %2$s proto esp spi 0x%3$x";
    /** The mark, which is the reqid, too. */
    private static final String MARK = "13681891";

    private static BridgedPair nodes;
    private static final Map<Side, Namespace> OVERLAYS = new EnumMap<>(Side.class);

    @BeforeAll
    static void start() {
        nodes = BridgedPair.start("swarm", Topology::direct);
        // One overlay is in the clear by intention.
        nodes.sniffer().dismiss();
        for (Side side : Side.values()) {
            OVERLAYS.put(side, new Namespace(nodes.scene(), side + "-overlays"));
        }
    }

    @AfterAll
    static void end() {
        if (nodes != null) {
            nodes.close();
        }
    }

    private static String address(Side side) {
        return side == Side.LEFT ? "192.0.2.1" : "192.0.2.2";
    }

    private static Namespace host(Side side) {
        return nodes.topology().site(side).host();
    }

    private static void onNode(Side side, String... commands) {
        nodes.bridge(side).run("sh", "-ec", String.join("\n", commands));
    }

    /** Swarm makes a number of both addresses and the key's tag. */
    private static int spi(Side from, int tag) {
        return (from == Side.LEFT ? 0x10000 : 0x20000) + tag;
    }

    private static String addState(Side from, int tag) {
        int spi = spi(from, tag);
        return ("ip xfrm state add " + STATE + " mode transport reqid " + MARK
                        + " aead 'rfc4106(gcm(aes))' 0x%4$032x%3$08x 64")
                .formatted(address(from), address(from.other()), spi, 0x1111 * tag);
    }

    private static String deleteState(Side from, int tag) {
        return ("ip xfrm state delete " + STATE).formatted(address(from), address(from.other()), spi(from, tag));
    }

    private static String policy(String verb, Side from, int tag) {
        return ("ip xfrm policy %4$s src %1$s/32 dst %2$s/32 proto udp dport 4789 dir out mark " + MARK
                        + " mask 0xffffffff tmpl " + STATE + " mode transport reqid " + MARK)
                .formatted(address(from), address(from.other()), spi(from, tag), verb);
    }

    private static void addOverlay(Side side, int vni) {
        String device = "vx" + vni;
        host(side)
                .ip(("link add " + device + " type vxlan id " + vni + " dstport 4789 local " + address(side)
                                + " remote " + address(side.other()))
                        .split(" "));
        // As Swarm does: its packets are the node's all the same.
        Namespace overlay = OVERLAYS.get(side);
        host(side).ip("link", "set", device, "netns", overlay.name());
        overlay.ip("link", "set", device, "addrgenmode", "none");
        overlay.ip("link", "set", device, "up");
        overlay.address(device, inner(vni, side) + "/24");
    }

    private static String inner(int vni, Side side) {
        return "10." + vni % 256 + ".0." + (side.ordinal() + 1);
    }

    private static Ping ping(int vni) {
        return new Ping(OVERLAYS.get(Side.LEFT), inner(vni, Side.LEFT), inner(vni, Side.RIGHT));
    }

    /** What is on the wire of this overlay without ESP. */
    private static List<String> clear(int vni) {
        return nodes.sniffer().packets("udp dst port 4789 and udp[12:4] & 0xffffff00 = " + (vni << 8));
    }

    private static int esp(int spi) {
        return nodes.sniffer().packets("ip proto 50 and ip[20:4] = " + spi).size();
    }

    @Test
    @Order(1)
    void shouldKeepEncryptedTrafficOutWhileRulesAskForAKernelsIpsec() {
        for (Side side : Side.values()) {
            String vni = VNI_IS.formatted(ENCRYPTED << 8);
            onNode(
                    side,
                    "iptables -t mangle -A OUTPUT " + vni + " -j MARK --set-mark " + MARK,
                    "iptables -A INPUT -m policy --dir in --pol ipsec " + vni + " -j ACCEPT",
                    "iptables -A INPUT " + vni + " -j DROP",
                    addState(side.other(), 2),
                    addState(side, 2),
                    policy("add", side, 2),
                    addState(side.other(), 3),
                    addState(side.other(), 1));
            addOverlay(side, ENCRYPTED);
            addOverlay(side, CLEAR);
        }
        assertEquals(0, ping(ENCRYPTED).send(2, 50).received());
        ping(CLEAR).send().assertComplete();
        assertTrue(esp(spi(Side.LEFT, 2)) > 0);
    }

    @Test
    @Order(2)
    void shouldProtectTheMarkedOverlayAlone() {
        for (Side side : Side.values()) {
            onNode(side, BridgeProcess.program() + " firewall | sh");
        }
        int before = clear(CLEAR).size();
        ping(ENCRYPTED).send().assertComplete();
        ping(ENCRYPTED).payloadBytes(8000).send(3, 50).assertComplete();
        ping(CLEAR).send().assertComplete();
        ClearPackets.assertNone(clear(ENCRYPTED));
        assertTrue(clear(CLEAR).size() - before >= 10);
    }

    @Test
    @Order(3)
    void shouldLoseNothingWhileKeysAreRotated() {
        Scene scene = nodes.scene();
        Daemon traffic = ping(ENCRYPTED).start(scene, 250, 20);
        for (int used = 2; used < LAST_KEY; used++) {
            for (Side side : Side.values()) {
                rotate(side, used);
                Await.pause(Duration.ofMillis(300));
                // On a slow machine the others may all have been sent by now.
                ping(ENCRYPTED).send(1, 20).assertComplete();
            }
        }
        Ping.Score.parse(traffic.finish(SOON)).assertComplete();
        ClearPackets.assertNone(clear(ENCRYPTED));
        for (Side side : Side.values()) {
            for (int tag = 2; tag <= LAST_KEY; tag++) {
                assertNotEquals(0, esp(spi(side, tag)), side + " " + tag);
            }
        }
    }

    /** A node knows three keys: the one that was used before, the one that it sends with, and the next. */
    private static void rotate(Side side, int used) {
        Side other = side.other();
        onNode(
                side,
                deleteState(other, used - 1),
                addState(other, used + 2),
                addState(side, used + 1),
                policy("update", side, used + 1),
                deleteState(side, used));
    }

    @Test
    @Order(4)
    void shouldTakeNothingOfTheEncryptedOverlayInTheClear() {
        Namespace overlay = OVERLAYS.get(Side.LEFT);
        try (Sniffer encrypted = Sniffer.start(nodes.scene(), overlay, "vx" + ENCRYPTED);
                Sniffer open = Sniffer.start(nodes.scene(), overlay, "vx" + CLEAR)) {
            encrypted.dismiss();
            open.dismiss();
            forge(ENCRYPTED, 3);
            forge(CLEAR, 1);
            Await.until("what is for the other overlay", SOON, () -> forged(open) == 1);
            assertEquals(0, forged(encrypted));
        }
        ping(ENCRYPTED).send().assertComplete();
    }

    private static int forged(Sniffer sniffer) {
        return sniffer.packets("icmp[icmptype] = icmp-echo").size();
    }

    private static void forge(int vni, int times) {
        Path program = TwoWires.program("vxlan.py", nodes.scene().file("vxlan-" + vni + ".py"));
        nodes.topology()
                .wire()
                .run(
                        Requirement.PYTHON,
                        program.toString(),
                        Topology.LEFT_PORT,
                        host(Side.LEFT)
                                .run("cat", "/sys/class/net/eth0/address")
                                .strip(),
                        address(Side.RIGHT),
                        address(Side.LEFT),
                        Integer.toString(vni),
                        Integer.toString(times));
    }
}
