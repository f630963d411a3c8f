package org.xfrmbridge.it.strongswan;

import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.xfrmbridge.it.harness.Outage;
import org.xfrmbridge.it.harness.Ping;
import org.xfrmbridge.lab.Gateway.Family;
import org.xfrmbridge.lab.Side;
import org.xfrmbridge.lab.Topology;

/**
 * Why: States do not outlive their bridge, and charon, which believes in them, ignores what asks for others. Topology:
 * two hosts. Steps: the left side pings; the bridge of the side that asked for the SA, or of the one that only
 * receives, is killed and started again while charon runs on. Expected: charon hears that its States are gone and
 * negotiates at once, without a packet in the clear, also where only policies of the CHILD_SA protect.
 */
@Tag("debian-13-at-night")
class HealingScenario extends PairedScenario {
    @Override
    Pair start() {
        return Pair.startMixed("healing", Topology::direct, Map.of());
    }

    @ParameterizedTest
    @CsvSource({"LEFT, tunnel", "RIGHT, tunnel", "LEFT, transport", "RIGHT, transport"})
    void shouldNegotiateAtOnceWhenTheBridgeIsBack(Side side, String mode) {
        Connection connection = new Connection("net");
        Connection.Child child = connection.child("net", Family.IPV4);
        Ping ping = pair().ping(Family.IPV4);
        if (mode.equals("transport")) {
            child.transport();
            ping = pair().outerPing(Family.IPV4);
        }
        pair().load(connection);
        pair().initiate("net");
        Outage.assertShort(pair().hosts(), side, ping, "charon, " + mode);
        pair().terminate("net");
        pair().awaitDatabasesEmpty();
    }
}
