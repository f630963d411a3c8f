package org.xfrmbridge.it.strongswan;

import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.xfrmbridge.lab.Await;
import org.xfrmbridge.lab.Gateway.Family;
import org.xfrmbridge.lab.Side;
import org.xfrmbridge.lab.Topology;

/**
 * Why: charon asks the kernel when an SA was last used to decide whether to ask the peer, and a dead peer must not
 * leave SAs behind. Topology: two hosts. Steps: set up, kill the right charon, wait; once with {@code dpd_action =
 * clear}, once with {@code restart} and a right charon that comes back. Expected: the left SAs go; with restart pings
 * pass again.
 */
class DeadPeerScenario extends PairedScenario {
    private static final Duration DETECTION = Duration.ofSeconds(30);

    @Override
    Pair start() {
        return Pair.start("dead-peer", Topology::direct, Pair.IMPATIENT);
    }

    @Test
    void shouldClearStatesWhenPeerDies() {
        Connection connection = watched("clear");
        pair().load(connection);
        pair().initiate("net");
        pair().charon(Side.RIGHT).kill9();
        Await.until(
                "the left databases to be cleared",
                DETECTION,
                () -> pair().databases(Side.LEFT).isBlank());
        pair().charon(Side.RIGHT).start();
    }

    @Test
    void shouldComeBackWhenPeerWasRestarted() {
        Connection connection = watched("restart");
        pair().load(connection);
        pair().initiate("net");
        pair().ping(Family.IPV4).send().assertComplete();
        pair().charon(Side.RIGHT).kill9();
        // a charon that is killed leaves its SAs in the kernel, and the next one does not look for them
        pair().bridge(Side.RIGHT).run("ip", "xfrm", "state", "flush");
        pair().bridge(Side.RIGHT).run("ip", "xfrm", "policy", "flush");
        pair().charon(Side.RIGHT).start();
        pair().load(Side.RIGHT, connection);
        Await.until(
                "traffic again",
                DETECTION.plus(DETECTION),
                () -> pair().ping(Family.IPV4).send(2, 50).lost() == 0);
        pair().terminate("net");
        pair().awaitDatabasesEmpty();
    }

    private static Connection watched(String action) {
        Connection connection = new Connection("net").set(Side.LEFT, "dpd_delay", "1s");
        connection.child("net", Family.IPV4).set(Side.LEFT, "dpd_action", action);
        return connection;
    }
}
