package org.xfrmbridge.it.strongswan;

import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.xfrmbridge.lab.Gateway.Family;
import org.xfrmbridge.lab.Topology;

/**
 * Why: behind many firewalls only UDP passes, so people force it. ESP then shares port 4500 with IKE and must be taken
 * out before charon's socket sees it. Topology: two hosts. Steps: {@code encap = yes}, five pings, terminate. Expected:
 * no ping is lost, and what is on the wire is ESP in UDP.
 */
class EncapsulationScenario extends PairedScenario {
    @Override
    Pair start() {
        Pair pair = Pair.startMixed("encapsulation", Topology::direct, Pair.NO_ROUTES);
        pair.routeInner(Family.IPV4);
        pair.routeInner(Family.IPV6);
        return pair;
    }

    @ParameterizedTest
    @CsvSource({"IPV4, IPV4", "IPV6, IPV4", "IPV4, IPV6", "IPV6, IPV6"})
    void shouldCarryTunnelInUdpWhenForced(Family inner, Family outer) {
        Connection connection = new Connection("udp").outer(outer).set("encap", "yes");
        connection.child("udp", inner);
        int before = pair().sniffer().udpEncapsulatedFrames();
        pair().prove(connection, "udp", pair().ping(inner));
        assertTrue(pair().sniffer().udpEncapsulatedFrames() - before >= 10);
    }

    @Test
    void shouldCarryTransportModeInUdpWhenForced() {
        Connection connection = new Connection("udp").set("encap", "yes");
        connection.child("udp", Family.IPV4).transport();
        int before = pair().sniffer().udpEncapsulatedFrames();
        pair().prove(connection, "udp", pair().outerPing(Family.IPV4));
        assertTrue(pair().sniffer().udpEncapsulatedFrames() - before >= 10);
    }
}
