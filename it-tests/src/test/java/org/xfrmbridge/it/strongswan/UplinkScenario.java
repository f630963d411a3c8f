package org.xfrmbridge.it.strongswan;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestMethodOrder;
import org.xfrmbridge.it.harness.Ping;
import org.xfrmbridge.it.harness.Requirement;
import org.xfrmbridge.it.harness.Requires;
import org.xfrmbridge.lab.Await;
import org.xfrmbridge.lab.Gateway;
import org.xfrmbridge.lab.Gateway.Family;
import org.xfrmbridge.lab.Namespace;
import org.xfrmbridge.lab.Side;
import org.xfrmbridge.lab.Topology;

/**
 * Why: with two uplinks a host changes the interface, the address and the encapsulation of its tunnel at once, and its
 * daemon or its bridge may die on the way. Topology: a host that reaches a router by eth0, where it is masqueraded, and
 * by eth1, where it is not; and a host outside. Steps: set up by eth0; kill charon, then the bridge; keepalives; take
 * eth0 down, and up again. Expected: charon has found the router and made its route for the inner address; without
 * charon's socket no ESP in UDP is opened, as in a kernel; without the bridge nothing passes; MOBIKE moves the tunnel
 * to eth1 as ESP and back as ESP in UDP, pings pass both ways, nothing leaves in the clear.
 */
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
@Requires(Requirement.NFT)
class UplinkScenario extends PairedScenario {
    private static final Duration SOON = Duration.ofSeconds(60);
    private static final String SECOND_DEVICE = "eth1";
    private static final String SECOND_PORT = "second";
    private static final String SECOND_ADDRESS = "198.51.100.1";
    private static final String SECOND_ROUTER = "198.51.100.254";
    private static final String FIRST_ROUTER = "192.168.7.1";
    private static final String FIRST_ADDRESS = "192.168.7.2";

    @Override
    Pair start() {
        Pair pair = Pair.start("uplinks", Topology::natted, Map.of("keep_alive", "1"));
        Topology topology = pair.topology();
        Namespace left = topology.left().host();
        Namespace.connect(left, SECOND_DEVICE, topology.wire(), SECOND_PORT);
        topology.wire().address(SECOND_PORT, SECOND_ROUTER + "/24");
        left.address(SECOND_DEVICE, SECOND_ADDRESS + "/24");
        left.ip("route", "add", "default", "via", SECOND_ROUTER, "metric", "100");
        topology.right().host().route("198.51.100.0/24", Topology.ROUTER_OUTSIDE);
        // What is not private needs no other address.
        topology.wire().run("nft", "insert rule ip nat post ip saddr " + SECOND_ADDRESS + " accept");
        Connection connection =
                new Connection("up").set(Side.RIGHT, "remote_addrs", "%any").set("mobike", "yes");
        connection.set(Side.LEFT, "local_addrs", "%any");
        connection.child("up", Family.IPV4);
        pair.load(connection);
        pair.initiate("up");
        return pair;
    }

    private Ping back() {
        return Ping.inner(pair().topology(), Side.RIGHT, Family.IPV4);
    }

    private Namespace left() {
        return pair().topology().left().host();
    }

    private void assertPassesBothWays() {
        pair().ping(Family.IPV4).send().assertComplete();
        back().send().assertComplete();
        pair().sniffer().assertNothingClear();
    }

    @Test
    @Order(1)
    void shouldOpenNothingWithoutTheDaemonsSocketAndGoOnWithANewOne() {
        assertEquals(
                "10.2.0.1 via " + FIRST_ROUTER + " dev " + Gateway.DEVICE + " proto static src 10.1.0.1",
                left().ip("route", "show", "table", "220").strip());
        assertPassesBothWays();
        pair().charon(Side.LEFT).kill9();
        Await.until(
                "the end of the daemon's socket",
                SOON,
                () -> pair().ping(Family.IPV4).send(1, 50).received() == 0);
        pair().sniffer().assertNothingClear();
        pair().charon(Side.LEFT).start();
        pair().charon(Side.LEFT).swanctl("--load-all", "--noprompt");
        pair().initiate("up");
        assertPassesBothWays();
    }

    @Test
    @Order(2)
    void shouldPassNothingWithoutBridgeAndHealWithANewOne() {
        pair().bridge(Side.LEFT).kill9();
        assertEquals(0, pair().ping(Family.IPV4).send(3, 50).received());
        pair().bridge(Side.LEFT).start();
        Await.until(
                "pings after the restart",
                SOON,
                () -> pair().ping(Family.IPV4).send(1, 50).lost() == 0);
        assertPassesBothWays();
    }

    /** Charon's own, which are not for anybody's socket. */
    @Test
    @Order(3)
    void shouldTakeKeepalivesFromTheDaemonsSocket() {
        String chain = "xfrm-bridge encapsulated";
        Await.until(
                "keepalives",
                SOON,
                () -> pair().topology()
                        .right()
                        .host()
                        .run("sh", "-c", "nft list chain inet " + chain)
                        .matches("(?s).*0xff counter packets [1-9].*"));
    }

    @Test
    @Order(4)
    void shouldMoveToTheOtherInterfaceAndBack() {
        left().ip("link", "set", Gateway.DEVICE, "down");
        awaitMoved(SECOND_ADDRESS);
        int inUdp = pair().sniffer().udpEncapsulatedFrames();
        assertPassesBothWays();
        assertEquals(inUdp, pair().sniffer().udpEncapsulatedFrames());
        left().ip("link", "set", Gateway.DEVICE, "up");
        left().route("default", FIRST_ROUTER);
        left().ip("link", "set", SECOND_DEVICE, "down");
        awaitMoved(FIRST_ADDRESS);
        assertPassesBothWays();
        assertTrue(pair().sniffer().udpEncapsulatedFrames() > inUdp);
    }

    private void awaitMoved(String address) {
        Await.until(
                "the SA from " + address,
                SOON,
                () -> pair().bridge(Side.LEFT)
                        .run("ip", "xfrm", "state")
                        .contains("src " + address + " dst 192.0.2.2"));
        Await.until(
                "pings from " + address,
                SOON,
                () -> pair().ping(Family.IPV4).send(1, 50).lost() == 0);
    }
}
