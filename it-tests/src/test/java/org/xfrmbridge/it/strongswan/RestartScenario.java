package org.xfrmbridge.it.strongswan;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.xfrmbridge.it.harness.Ping;
import org.xfrmbridge.lab.Await;
import org.xfrmbridge.lab.Daemon;
import org.xfrmbridge.lab.Gateway.Family;
import org.xfrmbridge.lab.Side;
import org.xfrmbridge.lab.Topology;

/**
 * Why: daemons end, orderly and otherwise. Topology: two hosts. Steps: charon is stopped and started; the bridge is
 * killed under traffic and started again while charon runs on. Expected: an orderly end leaves nothing behind and a new
 * charon starts anew; a killed bridge lets nothing out in the clear; when it is back it has the policies but no SAs, so
 * that still nothing is in the clear, and the charon that never stopped sets up again and traffic flows.
 */
class RestartScenario extends PairedScenario {
    @Override
    Pair start() {
        return Pair.start("restart", Topology::direct, Pair.IMPATIENT);
    }

    @Test
    void shouldStartAnewWhenCharonIsRestarted() {
        Connection connection = connection();
        pair().load(connection);
        pair().initiate("net");
        pair().charon(Side.LEFT).stop();
        Await.until(
                "the left databases to be empty",
                Duration.ofSeconds(30),
                () -> pair().databases(Side.LEFT).isBlank());
        pair().charon(Side.LEFT).start();
        pair().load(connection);
        pair().initiate("net");
        pair().ping(Family.IPV4).send().assertComplete();
        pair().terminate("net");
        pair().awaitDatabasesEmpty();
    }

    @Test
    void shouldStayClosedWhenBridgeIsKilledAndServeAgainWhenItIsBack() {
        Connection connection = connection();
        pair().load(connection);
        pair().initiate("net");
        Daemon ping = pair().ping(Family.IPV4).start(pair().scene(), 1000, 20);
        Daemon back = Ping.inner(pair().topology(), Side.RIGHT, Family.IPV4).start(pair().scene(), 1000, 20);
        Await.until("traffic", Duration.ofSeconds(15), () -> ping.output().contains("[10]"));
        pair().bridge(Side.LEFT).kill9();
        Await.pause(Duration.ofSeconds(2));
        ping.interrupt();
        back.interrupt();
        pair().sniffer().assertNothingClear();

        pair().bridge(Side.LEFT).start();
        String states = pair().bridge(Side.LEFT).run("ip", "xfrm", "state");
        // Charon may have a number for the next one already.
        assertFalse(states.contains("aead"), states);
        String policies = pair().bridge(Side.LEFT).run("ip", "xfrm", "policy");
        assertTrue(policies.contains("src 10.1.0.1/32 dst 10.2.0.1/32"), policies);
        pair().ping(Family.IPV4).send();
        pair().sniffer().assertNothingClear();
        pair().charon(Side.LEFT)
                .control("--terminate", "--force", "--timeout", "5", "--ike", "net")
                .result();
        pair().charon(Side.RIGHT)
                .control("--terminate", "--force", "--timeout", "5", "--ike", "net")
                .result();
        Await.until(
                "a new SA",
                Duration.ofSeconds(45),
                () -> pair().charon(Side.LEFT)
                                .control("--initiate", "--timeout", "5", "--child", "net")
                                .result()
                                .exitCode()
                        == 0);
        pair().ping(Family.IPV4).send().assertComplete();
        assertFalse(pair().databases(Side.LEFT).isBlank());
        pair().terminate("net");
        pair().awaitDatabasesEmpty();
    }

    private static Connection connection() {
        Connection connection = new Connection("net");
        connection.child("net", Family.IPV4);
        return connection;
    }
}
