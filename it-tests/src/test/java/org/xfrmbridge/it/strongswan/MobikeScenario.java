package org.xfrmbridge.it.strongswan;

import static org.junit.jupiter.api.Assertions.assertFalse;

import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.xfrmbridge.it.harness.Ping;
import org.xfrmbridge.lab.Await;
import org.xfrmbridge.lab.Daemon;
import org.xfrmbridge.lab.Gateway;
import org.xfrmbridge.lab.Gateway.Family;
import org.xfrmbridge.lab.Side;
import org.xfrmbridge.lab.Topology;

/**
 * Why: a host that changes its network keeps its tunnel; SAs and policies are moved to the new address in place.
 * Topology: two hosts. Steps: set up, ping, add an address on the left, remove the old one. Expected: both ends use the
 * new address, pings pass again within seconds, nothing leaves in the clear.
 */
class MobikeScenario extends PairedScenario {
    private static final String NEW_ADDRESS = "192.0.2.33";

    @Override
    Pair start() {
        return Pair.start("mobike", Topology::direct);
    }

    @Test
    void shouldMoveTunnelWhenAddressChanges() {
        Connection connection = new Connection("net")
                .set("mobike", "yes")
                .set(Side.LEFT, "local_addrs", "%any")
                .set(Side.RIGHT, "remote_addrs", "%any");
        connection.child("net", Family.IPV4);
        pair().load(connection);
        keepToIpv4();
        pair().initiate("net");
        Daemon ping = pair().ping(Family.IPV4).start(pair().scene(), 200, 50);
        pair().topology().left().host().address(pair().bridge(Side.LEFT).device(), NEW_ADDRESS + "/24");
        pair().topology()
                .left()
                .host()
                .ip(
                        "address",
                        "delete",
                        "192.0.2.1/24",
                        "dev",
                        pair().bridge(Side.LEFT).device());
        for (Side side : Side.values()) {
            Await.until(
                    "the SAs on " + side + " to move",
                    Duration.ofSeconds(30),
                    () -> pair().databases(side).contains("src " + NEW_ADDRESS + " dst 192.0.2.2"));
            assertFalse(pair().bridge(side).run("ip", "xfrm", "state").contains("192.0.2.1 "));
        }
        pair().ping(Family.IPV4).send().assertComplete();
        Ping.inner(pair().topology(), Side.RIGHT, Family.IPV4).send().assertComplete();
        ping.finish(Duration.ofSeconds(30));
        pair().terminate("net");
        pair().awaitDatabasesEmpty();
    }

    /** Otherwise MOBIKE may well choose the IPv6 path that is there as well. */
    private void keepToIpv4() {
        for (Side side : Side.values()) {
            Gateway site = pair().topology().site(side);
            site.host()
                    .ip(
                            "address",
                            "delete",
                            site.outer().v6() + "/64",
                            "dev",
                            pair().bridge(side).device());
        }
        // else removing the first address of a subnet takes the others with it
        pair().topology().left().host().sysctl("ipv4.conf.all.promote_secondaries", 1);
    }
}
