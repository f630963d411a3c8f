package org.xfrmbridge.it.instack;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.xfrmbridge.it.harness.BridgedPair;
import org.xfrmbridge.it.harness.Ping;
import org.xfrmbridge.it.harness.Requirement;
import org.xfrmbridge.it.harness.Requires;
import org.xfrmbridge.it.harness.Scene;
import org.xfrmbridge.lab.Await;
import org.xfrmbridge.lab.Gateway;
import org.xfrmbridge.lab.Gateway.Family;
import org.xfrmbridge.lab.Namespace;
import org.xfrmbridge.lab.Side;
import org.xfrmbridge.lab.Topology;

/**
 * Why: what a kernel checks of packets that arrive must stop neither what a bridge has opened, nor what is in the clear
 * beside it. Topology: two hosts, a bridge in the stack of each, a tunnel between their inner addresses. The outer
 * addresses are neighbours of those that another policy blocks: as the sets hold shortened prefixes, what is between
 * them comes to the bridge and passes. The left host checked reverse paths strictly before its bridge began. Steps:
 * reverse path checks of all strengths for all devices, for one, and for the bridge's own, while it runs; the uplink
 * becomes a Linux bridge that shows its frames to iptables, with a container at another port. Expected: pings inside
 * the tunnel are answered and are ESP; those between outer addresses, and those of the container, are in the clear.
 */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@Requires({Requirement.ROOT, Requirement.TUN, Requirement.TCPDUMP, Requirement.FPING, Requirement.BRIDGE})
class ClearTrafficScenario {
    private static final Duration SOON = Duration.ofSeconds(30);
    private static final String DATABASES = """
            for way in '192.0.2.1 192.0.2.2 0x1001' '192.0.2.2 192.0.2.1 0x1002'; do
                set -- $way
                ip xfrm state add src $1 dst $2 proto esp spi $3 mode tunnel \
                    aead 'rfc4106(gcm(aes))' 0x000102030405060708090a0b0c0d0e0f10111213 128
            done
            ip xfrm policy add src %1$s dst %2$s dir out tmpl src %3$s dst %4$s proto esp mode tunnel
            for dir in in fwd; do
                ip xfrm policy add src %2$s dst %1$s dir $dir tmpl src %4$s dst %3$s proto esp mode tunnel
            done
            for dir in out in fwd; do
                ip xfrm policy add src 192.0.2.128/25 dst 192.0.2.128/25 dir $dir action block
            done
            """;

    private BridgedPair hosts;

    @BeforeAll
    void start() {
        hosts = BridgedPair.start("clear-traffic", ClearTrafficScenario::withChecks);
        hosts.sniffer().dismiss();
        for (Side side : Side.values()) {
            Gateway here = hosts.topology().site(side);
            Gateway there = hosts.topology().site(side.other());
            here.routeTo(there, Family.IPV4);
            hosts.bridge(side)
                    .run(
                            "sh",
                            "-ec",
                            DATABASES.formatted(
                                    here.inner().v4(),
                                    there.inner().v4(),
                                    here.outer().v4(),
                                    there.outer().v4()));
        }
    }

    private static Topology withChecks(Scene scene) {
        Topology topology = Topology.direct(scene);
        for (String devices : List.of("default", "all")) {
            topology.left().host().sysctl("ipv4.conf." + devices + ".rp_filter", 1);
        }
        return topology;
    }

    @AfterAll
    void end() {
        if (hosts != null) {
            hosts.close();
        }
    }

    private Namespace left() {
        return hosts.topology().left().host();
    }

    private Ping inner(Side from) {
        return Ping.inner(hosts.topology(), from, Family.IPV4);
    }

    private Ping outer(Side from) {
        return Ping.outer(hosts.topology(), from, Family.IPV4);
    }

    private int echoes(String ends) {
        return hosts.sniffer().packets("icmp and " + ends).size();
    }

    private void assertAllPasses(String when) {
        for (Side from : Side.values()) {
            Await.until(
                    "an answer through the tunnel " + when,
                    SOON,
                    () -> inner(from).send(1, 50).lost() == 0);
            Await.until(
                    "an answer in the clear " + when,
                    SOON,
                    () -> outer(from).send(1, 50).lost() == 0);
        }
        int espBefore = hosts.sniffer().espFrames();
        int clearBefore = echoes("net 192.0.2.0/24");
        inner(Side.LEFT).send(3, 50).assertComplete();
        outer(Side.LEFT).send(3, 50).assertComplete();
        assertEquals(6, hosts.sniffer().espFrames() - espBefore);
        assertEquals(6, echoes("net 192.0.2.0/24") - clearBefore);
        assertEquals(0, echoes("net 10.0.0.0/8"));
    }

    @Test
    void shouldPassWhereReversePathsAreChecked() {
        assertAllPasses("with checks from the start");
        for (String devices : List.of("all", "eth0", "xfrm0", "default")) {
            for (int strength : new int[] {0, 1, 2}) {
                left().sysctl("ipv4.conf." + devices + ".rp_filter", strength);
                assertAllPasses("with rp_filter " + strength + " of " + devices);
            }
            left().sysctl("ipv4.conf." + devices + ".rp_filter", 0);
        }
    }

    /** A container may talk to whom policies of the host protect: it is not the host. */
    @Test
    @Requires(Requirement.IPTABLES)
    void shouldLeaveFramesBetweenPortsOfABridgeAlone() {
        Namespace container = new Namespace(hosts.scene(), "container");
        Namespace.connect(left(), "port", container, "eth0");
        container.address("eth0", "192.0.2.7/24");
        container.route("10.0.0.0/8", "192.0.2.2");
        left().run("sh", "-ec", """
                ip link add br0 type bridge
                ip link set br0 up
                ip address flush dev eth0
                ip link set eth0 master br0
                ip link set port master br0
                ip address add 192.0.2.1/24 dev br0
                ip route replace 10.2.0.1 via 192.0.2.2 src 10.1.0.1
                sysctl -qw net.bridge.bridge-nf-call-iptables=1 || true
                iptables -P FORWARD DROP
                iptables -A FORWARD -m physdev --physdev-is-bridged -j ACCEPT
                """);
        assertAllPasses("by a bridge");
        int before = echoes("host 192.0.2.7");
        new Ping(container, "192.0.2.7", "192.0.2.2").send(3, 50).assertComplete();
        assertEquals(6, echoes("host 192.0.2.7") - before);
        hosts.bridge(Side.LEFT).run("ip", "xfrm", "policy", "add", "dst", "192.0.2.2", "dir", "out", "action", "block");
        hosts.bridge(Side.LEFT).run("ip", "xfrm", "policy", "add", "dst", "192.0.2.2", "dir", "fwd", "action", "block");
        new Ping(container, "192.0.2.7", "192.0.2.2").send(3, 50).assertComplete();
        assertEquals(0, outer(Side.LEFT).send(2, 50).received());
        assertTrue(hosts.bridge(Side.LEFT).stat().contains("\"XfrmOutPolBlock\": "));
        hosts.bridge(Side.LEFT).run("ip", "xfrm", "policy", "delete", "dst", "192.0.2.2", "dir", "out");
        hosts.bridge(Side.LEFT).run("ip", "xfrm", "policy", "delete", "dst", "192.0.2.2", "dir", "fwd");
        left().run("sh", "-ec", """
                iptables -P FORWARD ACCEPT
                ip link set eth0 nomaster
                ip link delete br0
                ip address add 192.0.2.1/24 dev eth0
                ip route replace 10.2.0.1 via 192.0.2.2 src 10.1.0.1
                """);
        assertAllPasses("by the device again");
    }
}
