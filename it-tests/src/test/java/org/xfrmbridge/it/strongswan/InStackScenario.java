package org.xfrmbridge.it.strongswan;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Map;
import org.junit.jupiter.api.Test;
import org.xfrmbridge.it.harness.Ping;
import org.xfrmbridge.it.harness.Requirement;
import org.xfrmbridge.it.harness.Requires;
import org.xfrmbridge.lab.Gateway.Family;
import org.xfrmbridge.lab.Side;
import org.xfrmbridge.lab.Topology;

/**
 * Why: in the host's stack the bridge takes nothing over, and all it protects it has to find. Topologies: two hosts,
 * two gateways, a host behind a router that masquerades it. Steps: charon negotiates, pings of all sizes. Expected: no
 * ping is lost, only ESP and IKE are on the wire, no address has moved, nothing is left.
 */
@Requires({
    Requirement.ROOT,
    Requirement.TUN,
    Requirement.TCPDUMP,
    Requirement.FPING,
    Requirement.CHARON,
    Requirement.NFT,
    Requirement.BRIDGE
})
class InStackScenario {
    private static final int LARGE_BYTES = 4000;

    @Test
    void shouldProtectTwoHostsInBothModes() {
        try (Pair pair = Pair.startInStack("in-stack", Topology::direct, Pair.NO_ROUTES)) {
            pair.routeInner(Family.IPV4);
            pair.routeInner(Family.IPV6);
            for (Family outer : Family.values()) {
                for (Family inner : Family.values()) {
                    Connection tunnel = new Connection("tunnel").outer(outer);
                    tunnel.child("tunnel", inner);
                    prove(pair, tunnel, "tunnel", pair.ping(inner));
                }
            }
            for (Family outer : Family.values()) {
                Connection transport = new Connection("transport").outer(outer);
                transport.child("transport", outer).transport();
                prove(pair, transport, "transport", pair.outerPing(outer));
            }
            String addresses = pair.topology().left().host().ip("-br", "address");
            assertTrue(addresses.contains("192.0.2.1/24"), addresses);
        }
    }

    @Test
    void shouldProtectWhatGatewaysForward() {
        try (Pair pair = Pair.startInStack("in-stack-gateways", Topology::gateways, Map.of())) {
            Connection tunnel = new Connection("tunnel");
            tunnel.child("tunnel", Family.IPV4);
            prove(pair, tunnel, "tunnel", pair.ping(Family.IPV4));
        }
    }

    @Test
    void shouldSendEspInUdpWhenOneIsBehindARouter() {
        try (Pair pair = Pair.startInStack("in-stack-natted", Topology::natted, Map.of())) {
            Connection tunnel = new Connection("tunnel").set(Side.RIGHT, "remote_addrs", "%any");
            tunnel.child("tunnel", Family.IPV4);
            prove(pair, tunnel, "tunnel", pair.ping(Family.IPV4));
            assertTrue(pair.sniffer().udpEncapsulatedFrames() > 0);
        }
    }

    private static void prove(Pair pair, Connection connection, String child, Ping ping) {
        pair.load(connection);
        pair.initiate(child);
        pair.hosts().assertProtected(ping);
        ping.payloadBytes(LARGE_BYTES).send().assertComplete();
        pair.sniffer().assertNothingClear();
        pair.terminate(connection.name());
        pair.awaitDatabasesEmpty();
    }
}
