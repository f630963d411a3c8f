package org.xfrmbridge.it.instack;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
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
import org.xfrmbridge.lab.Daemon;
import org.xfrmbridge.lab.Lab;
import org.xfrmbridge.lab.Namespace;

/**
 * Why: an address that keepalived moves between two gateways is protected on whichever has it, and the adverts of VRRP
 * by which they agree go on as if there were no bridge. Topology: two gateways and a peer on one wire, a bridge in the
 * stack of each; both gateways have the policies and the State to receive for the common address, and States of their
 * own to send. Steps: the peer pings the common address while one keepalived ends and comes back, its device loses the
 * wire, and a gateway's own bridge ends; once the address is on a macvlan with VRRP's own MAC; then policies for
 * multicasts of VRRP are added that block them. Expected: pings pass again by the other gateway, ESP alone, nothing in
 * the clear on any wire; adverts are on the wire all the time but when policies block them.
 */
@TestMethodOrder(OrderAnnotation.class)
@Requires({
    Requirement.ROOT,
    Requirement.TUN,
    Requirement.TCPDUMP,
    Requirement.FPING,
    Requirement.BRIDGE,
    Requirement.KEEPALIVED
})
class VirtualAddressScenario {
    private static final Duration SOON = Duration.ofSeconds(60);
    /** Time for five. */
    private static final Duration ADVERTS_PAUSE = Duration.ofSeconds(1);

    private static final String ADDRESS = "192.0.2.9";
    private static final String PEER = "192.0.2.2";
    private static final String NOT_PROTECTED =
            "host " + ADDRESS + " and not arp and not igmp and not ip proto 50 and not ip proto 112";
    private static final String ADVERTS = "ip proto 112 and dst host 224.0.0.18";
    private static final String KEY = " aead 'rfc4106(gcm(aes))' 0x000102030405060708090a0b0c0d0e0f10111213 128\n";
    private static final String CONFIGURATION = """
            global_defs { vrrp_version 3 script_user root }
            vrrp_instance common {
                state BACKUP
                interface eth0
                %2$s
                virtual_router_id 7
                priority %1$d
                advert_int 0.2
                garp_master_delay 1
                virtual_ipaddress { 192.0.2.9/24 }
            }
            """;

    private static Scene scene;
    private static Namespace wire;
    private static Node first;
    private static Node second;
    private static Namespace peer;
    private static BridgeProcess peerBridge;
    private static final List<Sniffer> SNIFFERS = new ArrayList<>();

    /** A gateway, whose port of the wire has its name. */
    private static final class Node {
        private final Namespace host;
        private final String address;
        private final int priority;
        private final int spi;
        private BridgeProcess bridge;
        private Daemon keepalived;

        Node(String name, String address, int priority, int spi) {
            this.address = address;
            this.priority = priority;
            this.spi = spi;
            host = plug(name, address);
        }

        String name() {
            return host.role();
        }

        void startKeepalived(String more) {
            String configuration = Lab.write(scene.file(name() + ".conf"), CONFIGURATION.formatted(priority, more))
                    .toString();
            // Its files of process numbers, of which later releases have more, are in a /run of its own.
            keepalived = scene.own(host.start(
                    "keepalived",
                    scene.file(name() + "-keepalived.log"),
                    host.command(
                            "unshare",
                            "--mount",
                            "sh",
                            "-c",
                            "mount -t tmpfs run /run && exec keepalived -n -l -D -P -f " + configuration)));
        }

        boolean hasAddress() {
            return host.ip("-br", "address").contains(ADDRESS + "/");
        }

        /** How often this gateway has sent from the common address, as ESP, by its wire. */
        int sent() {
            return sniffer(name())
                    .packets("ip proto 50 and src host " + ADDRESS + " and ip[20:4] = " + spi)
                    .size();
        }

        int adverts() {
            return sniffer(name()).packets(ADVERTS + " and src host " + address).size();
        }
    }

    @BeforeAll
    static void start() {
        scene = new Scene("virtual-address");
        wire = new Namespace(scene, "wire");
        wire.sysctl("ipv6.conf.all.disable_ipv6", 1);
        wire.ip("link", "add", "switch", "type", "bridge", "mcast_snooping", "0");
        wire.ip("link", "set", "switch", "up");
        first = new Node("first", "192.0.2.11", 200, 0x1001);
        second = new Node("second", "192.0.2.12", 100, 0x1002);
        peer = plug("peer", PEER);
        first.bridge = BridgeProcess.launch(scene, first.host, Attachment.STACK, List.of());
        second.bridge = BridgeProcess.launch(scene, second.host, Attachment.STACK, List.of());
        peerBridge = BridgeProcess.launch(scene, peer, Attachment.STACK, List.of());
        for (BridgeProcess bridge : List.of(first.bridge, second.bridge, peerBridge)) {
            bridge.awaitReady();
        }
        for (Node node : List.of(first, second)) {
            node.bridge.run(
                    "sh",
                    "-ec",
                    state(ADDRESS, PEER, node.spi) + state(PEER, ADDRESS, 0x2000) + policies(ADDRESS, PEER));
        }
        peerBridge.run(
                "sh",
                "-ec",
                state(ADDRESS, PEER, first.spi)
                        + state(ADDRESS, PEER, second.spi)
                        + state(PEER, ADDRESS, 0x2000)
                        + policies(PEER, ADDRESS));
        first.startKeepalived("");
        second.startKeepalived("");
    }

    private static Namespace plug(String name, String address) {
        Namespace host = new Namespace(scene, name);
        Namespace.connect(host, "eth0", wire, name);
        wire.ip("link", "set", name, "master", "switch");
        host.address("eth0", address + "/24");
        host.ip("link", "set", "eth0", "gso_max_segs", "1");
        Sniffer sniffer = Sniffer.start(scene, wire, name);
        // Adverts are in the clear by intention.
        sniffer.dismiss();
        SNIFFERS.add(sniffer);
        return host;
    }

    private static Sniffer sniffer(String name) {
        return SNIFFERS.get(List.of("first", "second", "peer").indexOf(name));
    }

    private static String state(String from, String to, int spi) {
        return "ip xfrm state add src " + from + " dst " + to + " proto esp spi " + spi + " mode transport" + KEY;
    }

    private static String policies(String here, String there) {
        String policy = "ip xfrm policy add src %s dst %s dir %s tmpl proto esp mode transport\n";
        return policy.formatted(here, there, "out") + policy.formatted(there, here, "in");
    }

    @AfterAll
    static void end() {
        scene.close();
    }

    private static Ping ping() {
        return new Ping(peer, PEER, ADDRESS);
    }

    private static void assertNothingClear() {
        for (Sniffer sniffer : SNIFFERS) {
            ClearPackets.assertNone(sniffer.packets(NOT_PROTECTED));
        }
    }

    /** Waits until this gateway has the address, and throws unless it answers, protected. */
    private static void assertAnswers(Node node) {
        Await.until("the address on " + node.name(), SOON, node::hasAddress);
        Await.until("an answer", SOON, () -> ping().send(1, 50).lost() == 0);
        int before = node.sent();
        ping().send().assertComplete();
        assertTrue(node.sent() - before >= 5);
        assertNothingClear();
    }

    @Test
    @Order(1)
    void shouldProtectTheAddressWhereverItIs() {
        assertAnswers(first);
        Daemon traffic = ping().start(scene, 300, 20);
        first.keepalived.terminate();
        assertAnswers(second);
        assertFalse(first.hasAddress());
        first.startKeepalived("");
        assertAnswers(first);
        Ping.Score score = Ping.Score.parse(traffic.finish(SOON));
        assertTrue(score.received() > score.sent() / 2, score::output);
    }

    @Test
    @Order(2)
    void shouldProtectTheAddressWhenItsGatewayLosesTheWire() {
        wire.ip("link", "set", "first", "down");
        assertAnswers(second);
        wire.ip("link", "set", "first", "up");
        assertAnswers(first);
    }

    @Test
    @Order(3)
    void shouldSendAdvertsWhileABridgeHasEnded() {
        first.bridge.kill9();
        int before = first.adverts();
        Await.until("adverts", SOON, () -> first.adverts() >= before + 5);
        assertTrue(first.hasAddress());
        assertEquals(0, ping().send(3, 50).received());
        assertNothingClear();
        first.bridge.start();
        first.bridge.run("sh", "-ec", state(ADDRESS, PEER, first.spi) + state(PEER, ADDRESS, 0x2000));
        assertAnswers(first);
    }

    /** The device with the address is a macvlan then. */
    @Test
    @Order(4)
    void shouldProtectTheAddressOnAMacOfItsOwn() {
        first.keepalived.terminate();
        assertAnswers(second);
        first.startKeepalived("use_vmac");
        assertAnswers(first);
        assertTrue(first.host.ip("-br", "link", "show", "type", "macvlan").contains("00:00:5e:00:01:07"));
    }

    private static int advertsAfter(Duration pause) {
        Await.pause(pause);
        return first.adverts();
    }

    @Test
    @Order(5)
    void shouldKeepAdvertsFromLeavingWhenPoliciesMeanThem() {
        first.bridge.run(
                "ip", "xfrm", "policy", "add", "dst", "224.0.0.0/24", "proto", "112", "dir", "out", "action", "block");
        Await.until("an end of adverts", SOON, () -> first.adverts() == advertsAfter(ADVERTS_PAUSE));
        int before = first.adverts();
        // Nobody tells the other gateway any more that the address is in use.
        Await.until("the address on both", SOON, second::hasAddress);
        assertEquals(before, advertsAfter(ADVERTS_PAUSE));
        assertTrue(first.bridge.stat().contains("\"XfrmOutPolBlock\": "), first.bridge::stat);
        first.bridge.run("ip", "xfrm", "policy", "delete", "dst", "224.0.0.0/24", "proto", "112", "dir", "out");
        Await.until("the address on one", SOON, () -> !second.hasAddress());
        assertAnswers(first);
    }
}
