package org.xfrmbridge.it.libreswan;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.xfrmbridge.it.harness.BridgedPair;
import org.xfrmbridge.it.harness.Ping;
import org.xfrmbridge.it.harness.Requirement;
import org.xfrmbridge.it.harness.Requires;
import org.xfrmbridge.it.strongswan.Connection;
import org.xfrmbridge.it.strongswan.SaList;
import org.xfrmbridge.lab.Attachment;
import org.xfrmbridge.lab.Charon;
import org.xfrmbridge.lab.Gateway.Family;
import org.xfrmbridge.lab.Side;
import org.xfrmbridge.lab.Topology;

/**
 * Why: pluto speaks NETLINK_XFRM in its own way: sockets that are never bound, attributes without padding, UPDPOLICY
 * only, probes when it starts. Topology: two hosts, pluto on the left, charon on the right. Steps: tunnels with AES-GCM
 * over IPv4, with AES-CBC and SHA-256 over IPv6, in UDP, and on demand; each is rekeyed and deleted, with pings in
 * between. Expected: no ping is lost (but the one that asks for a tunnel on demand), all is ESP, and both bridges hold
 * the same SPIs.
 */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@Requires({
    Requirement.ROOT,
    Requirement.TUN,
    Requirement.TCPDUMP,
    Requirement.FPING,
    Requirement.LIBRESWAN,
    Requirement.CHARON,
    Requirement.BRIDGE
})
@Tag("debian-13")
class LibreswanScenario {
    private static final int LIFE_PACKETS = 60;
    private static final int INTERVAL_MS = 50;
    private static final String CONNECTIONS = """
            conn %%default
                leftid=@%s
                rightid=@%s
                authby=secret
                ikev2=insist
                ike=aes128-sha256-dh31
                auto=add
            conn four
                left=192.0.2.1
                right=192.0.2.2
                leftsubnet=10.1.0.1/32
                rightsubnet=10.2.0.1/32
                leftsourceip=10.1.0.1
                esp=aes_gcm128-null
            conn packets
                also=four
                ipsec-max-packets=%d
            conn udp
                also=four
                encapsulation=yes
            conn six
                left=2001:db8:7::1
                right=2001:db8:7::2
                leftsubnet=fd01::1/128
                rightsubnet=fd02::1/128
                leftsourceip=fd01::1
                esp=aes128-sha2_256
            conn host
                left=2001:db8:7::1
                right=2001:db8:7::2
                type=transport
                esp=chacha20_poly1305
            """.formatted(Side.LEFT.identity(), Side.RIGHT.identity(), LIFE_PACKETS);

    private BridgedPair hosts;
    private Charon charon;
    private Pluto pluto;

    @BeforeAll
    void startDaemons() {
        hosts = BridgedPair.start("libreswan", Topology::direct, Attachment.STACK, Attachment.WIRE, List.of());
        try {
            charon = Charon.start(hosts.scene(), hosts.topology().right().host(), hosts.bridge(Side.RIGHT), Map.of());
            Connection four = new Connection("four");
            four.child("four", Family.IPV4).set("esp_proposals", "aes128gcm16-x25519");
            Connection six = new Connection("six").outer(Family.IPV6);
            six.child("six", Family.IPV6).set("esp_proposals", "aes128-sha256-x25519");
            six.child("host", Family.IPV6).transport().set("esp_proposals", "chacha20poly1305-x25519");
            Connection.load(charon, hosts.topology(), Side.RIGHT, four, six);
            pluto = Pluto.start(hosts, Side.LEFT, CONNECTIONS);
        } catch (RuntimeException | AssertionError e) {
            BridgedPair.abandon(hosts, e);
            throw e;
        }
    }

    @AfterAll
    void endDaemons() {
        hosts.close();
    }

    private Ping ping(Family family) {
        return Ping.inner(hosts.topology(), Side.LEFT, family);
    }

    private void up(String connection) {
        pluto.ipsec("auto", "--up", connection).run();
    }

    /** Takes the trap away, too, which pluto leaves where a tunnel was. */
    private void down(String connection) {
        pluto.ipsec("auto", "--down", connection).run();
        pluto.ipsec("auto", "--unroute", connection).run();
        assertNothingLeft();
    }

    private void assertNothingLeft() {
        hosts.awaitNoStates();
        assertEquals("", policiesLeft());
    }

    /** The text of those on both sides, without pluto's bypass policies for neighbour discovery. */
    private String policiesLeft() {
        String left = hosts.policies(Side.LEFT);
        boolean ofConnections = left.contains("10.2.0.1") || left.contains("fd02::1") || left.contains("2001:db8:7::2");
        return (ofConnections ? left : "") + hosts.policies(Side.RIGHT);
    }

    /** What a test that failed has left is not the next one's fault. */
    @BeforeEach
    void beginAnew() {
        if (pluto.isAlive() && !hosts.hasStates() && policiesLeft().isEmpty()) {
            return;
        }
        SaList.endAll(charon);
        pluto.restart();
        hosts.flush();
    }

    @Test
    void shouldRekeyFromBothEndsWhenTunnelIsUp() {
        up("four");
        hosts.assertProtected(ping(Family.IPV4));
        List<String> first = hosts.onePairOfSas();
        pluto.rekeyChild("four");
        hosts.awaitReplaced(first);
        hosts.assertProtected(ping(Family.IPV4));
        List<String> second = hosts.onePairOfSas();
        charon.swanctl("--rekey", "--child", "four");
        hosts.awaitReplaced(second);
        hosts.assertProtected(ping(Family.IPV4));
        pluto.ipsec("whack", "--rekey-ike", "--name", "four").run();
        charon.swanctl("--rekey", "--ike", "four");
        hosts.assertProtected(ping(Family.IPV4));
        hosts.onePairOfSas();
        down("four");
    }

    @Test
    @Requires(Requirement.LIBRESWAN_4)
    void shouldRekeyWhenPacketsAreUsedUp() {
        up("packets");
        List<String> first = hosts.onePairOfSas();
        ping(Family.IPV4).send(LIFE_PACKETS - 5, INTERVAL_MS).assertComplete();
        hosts.awaitReplaced(first);
        hosts.assertProtected(ping(Family.IPV4));
        down("packets");
    }

    @Test
    void shouldCarryTunnelInUdpWhenForced() {
        int before = hosts.sniffer().udpEncapsulatedFrames();
        up("udp");
        hosts.assertProtected(ping(Family.IPV4));
        assertTrue(hosts.sniffer().udpEncapsulatedFrames() > before);
        down("udp");
    }

    @Test
    void shouldProtectTunnelOverIpv6() {
        up("six");
        hosts.assertProtected(ping(Family.IPV6));
        hosts.onePairOfSas();
        down("six");
    }

    @Test
    void shouldComeBackInTransportModeWhenPeerEndsIt() {
        up("host");
        Ping ping = Ping.outer(hosts.topology(), Side.LEFT, Family.IPV6);
        hosts.assertProtected(ping);
        List<String> first = hosts.onePairOfSas();
        charon.swanctl("--terminate", "--timeout", "30", "--ike", "six");
        hosts.awaitReplaced(first);
        hosts.assertProtected(ping);
        down("host");
    }

    @Test
    void shouldNegotiateOnDemandWhenTrapIsSet() {
        pluto.ipsec("auto", "--route", "four").run();
        ping(Family.IPV4).send(1, 200);
        hosts.awaitOnePairOfSas();
        hosts.assertProtected(ping(Family.IPV4));
        down("four");
    }

    @Test
    void shouldLeaveNothingWhenDaemonEnds() {
        up("four");
        pluto.stop();
        assertNothingLeft();
        pluto.start();
    }
}
