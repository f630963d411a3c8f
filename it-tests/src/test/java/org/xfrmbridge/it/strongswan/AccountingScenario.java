package org.xfrmbridge.it.strongswan;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.xfrmbridge.lab.Await;
import org.xfrmbridge.lab.Gateway.Family;
import org.xfrmbridge.lab.Side;
import org.xfrmbridge.lab.Topology;

/**
 * Why: people bill, monitor and close idle tunnels by what {@code swanctl --list-sas} says. Topology: two hosts. Steps:
 * ten pings of known size, then idleness, in tunnel and in transport mode. Expected: packets and bytes are what was
 * sent, on both ends and in both directions: the inner packet in tunnel mode, the payload of the outer one in transport
 * mode, as the kernel counts; last use grows old while nothing is sent.
 */
class AccountingScenario extends PairedScenario {
    private static final int PINGS = 10;
    private static final int PAYLOAD_BYTES = 100;
    private static final int ICMP_BYTES = 8;
    private static final int IPV4_BYTES = 20;

    @Override
    Pair start() {
        return Pair.start("accounting", Topology::direct);
    }

    @Test
    void shouldCountInnerPacketsWhenTunnelled() {
        Connection connection = new Connection("count");
        connection.child("count", Family.IPV4);
        pair().load(connection);
        pair().initiate("count");
        pair().ping(Family.IPV4).payloadBytes(PAYLOAD_BYTES).send(PINGS, 20).assertComplete();
        assertCounted(PINGS * (IPV4_BYTES + ICMP_BYTES + PAYLOAD_BYTES));
        pair().terminate("count");
    }

    @Test
    void shouldCountPayloadWhenInTransportMode() {
        Connection connection = new Connection("count");
        connection.child("count", Family.IPV4).transport();
        pair().load(connection);
        pair().initiate("count");
        pair().outerPing(Family.IPV4)
                .payloadBytes(PAYLOAD_BYTES)
                .send(PINGS, 20)
                .assertComplete();
        assertCounted(PINGS * (ICMP_BYTES + PAYLOAD_BYTES));
        pair().terminate("count");
    }

    private void assertCounted(long bytes) {
        long endNs = System.nanoTime();
        Await.pause(Duration.ofMillis(2500));
        for (Side side : Side.values()) {
            SaList.ChildSa child = SaList.of(pair().charon(side)).installed("count");
            for (String direction : new String[] {"in", "out"}) {
                assertEquals(PINGS, child.number("packets-" + direction), side + " " + direction);
                assertEquals(bytes, child.number("bytes-" + direction), side + " " + direction);
                long idleSeconds = child.number("use-" + direction);
                long passedSeconds = Duration.ofNanos(System.nanoTime() - endNs).toSeconds();
                assertTrue(
                        idleSeconds >= 2 && idleSeconds <= passedSeconds + 3,
                        side + " " + direction + " " + idleSeconds);
            }
        }
    }
}
