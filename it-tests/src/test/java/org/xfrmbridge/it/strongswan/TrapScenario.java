package org.xfrmbridge.it.strongswan;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.xfrmbridge.it.harness.Ping;
import org.xfrmbridge.lab.Await;
import org.xfrmbridge.lab.Gateway.Family;
import org.xfrmbridge.lab.Side;
import org.xfrmbridge.lab.Topology;

/**
 * Why: {@code start_action = trap} is how gateways are run: a policy without an SA catches the first packet. Topology:
 * two hosts. Steps: traps on the left only, then a first packet while the peer knows nothing of the connection, then
 * with it. Expected: an ACQUIRE makes charon negotiate, a larval state stands meanwhile, no packet leaves in the clear,
 * and when the peer agrees pings pass.
 */
@Tag("debian-13-at-night")
class TrapScenario extends PairedScenario {
    @Override
    Pair start() {
        return Pair.start("trap", Topology::direct);
    }

    @Test
    void shouldNegotiateWhenFirstPacketHitsTrap() {
        Connection connection = trapped();
        pair().load(Side.RIGHT, connection);
        pair().load(Side.LEFT, connection);
        assertEquals("", pair().bridge(Side.LEFT).run("ip", "xfrm", "state"));
        pair().ping(Family.IPV4).send(2, 50);
        Await.until(
                "the SA",
                Duration.ofSeconds(30),
                () -> pair().bridge(Side.LEFT).run("ip", "xfrm", "state").contains("aead"));
        pair().ping(Family.IPV4).send().assertComplete();
        assertEquals(1, SaList.of(pair().charon(Side.LEFT)).children().size());
        pair().terminate("trap");
    }

    @Test
    void shouldHoldPacketsBackWhenPeerDoesNotAnswer() {
        Connection connection = trapped();
        pair().charon(Side.RIGHT).stop();
        pair().load(Side.LEFT, connection);
        Ping.Score score = pair().ping(Family.IPV4).send(2, 50);
        assertEquals(2, score.lost());
        String states = pair().bridge(Side.LEFT).run("ip", "xfrm", "state");
        assertTrue(states.contains("proto esp spi 0x00000000"), states);
        pair().sniffer().assertNothingClear();
        pair().charon(Side.RIGHT).start();
        pair().load(Side.RIGHT, connection);
        Await.until(
                "the SA",
                Duration.ofSeconds(30),
                () -> pair().ping(Family.IPV4).send(2, 50).lost() == 0);
        pair().terminate("trap");
    }

    private static Connection trapped() {
        Connection connection = new Connection("trap");
        connection.child("trap", Family.IPV4).set(Side.LEFT, "start_action", "trap");
        return connection;
    }
}
