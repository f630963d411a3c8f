package org.xfrmbridge.it.strongswan;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestMethodOrder;
import org.xfrmbridge.it.harness.Ping;
import org.xfrmbridge.it.harness.Requirement;
import org.xfrmbridge.it.harness.Requires;
import org.xfrmbridge.lab.Await;
import org.xfrmbridge.lab.Gateway.Family;
import org.xfrmbridge.lab.Side;
import org.xfrmbridge.lab.Topology;

/**
 * Why: most clients sit behind a router that rewrites their address and port, and that forgets what it wrote. Topology:
 * a host behind a masquerading router, and a host outside. Steps: set up from inside, ping both ways, give the router a
 * new address and other ports. Expected: ESP in UDP from the first packet; after the change the outer host hears of the
 * new mapping from its bridge (MAPPING), charon moves the SA, and pings pass again, both ways.
 */
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
@Requires(Requirement.NFT)
class NatScenario extends PairedScenario {
    private static final String NEW_ADDRESS = "192.0.2.9";

    @Override
    Pair start() {
        Pair pair = Pair.start("nat", Topology::natted);
        Connection connection =
                new Connection("nat").set(Side.RIGHT, "remote_addrs", "%any").set("mobike", "yes");
        connection.child("nat", Family.IPV4);
        pair.load(connection);
        pair.initiate("nat");
        return pair;
    }

    @Test
    @Order(1)
    void shouldPassBothWaysWhenRouterTranslates() {
        pair().ping(Family.IPV4).send().assertComplete();
        Ping.inner(pair().topology(), Side.RIGHT, Family.IPV4).send().assertComplete();
        assertTrue(pair().sniffer().udpEncapsulatedFrames() >= 20);
        assertTrue(pair().databases(Side.RIGHT).contains("encap type espinudp sport 2"), pair().databases(Side.RIGHT));
    }

    @Test
    @Order(2)
    void shouldFollowWhenRouterForgetsAndChangesAddress() {
        pair().topology().masquerade("40000-49999");
        pair().topology().renumberRouter(Topology.ROUTER_OUTSIDE, NEW_ADDRESS);
        pair().ping(Family.IPV4).send(3, 50);
        Await.until(
                "the outer SA to follow to " + NEW_ADDRESS,
                Duration.ofSeconds(30),
                () -> pair().databases(Side.RIGHT).contains("src " + NEW_ADDRESS + " dst 192.0.2.2")
                        && pair().databases(Side.RIGHT).contains("encap type espinudp sport 4"));
        pair().ping(Family.IPV4).send().assertComplete();
        Ping.inner(pair().topology(), Side.RIGHT, Family.IPV4).send().assertComplete();
    }
}
