package org.xfrmbridge.it.strongswan;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.xfrmbridge.lab.Gateway.Addresses;
import org.xfrmbridge.lab.Gateway.Family;
import org.xfrmbridge.lab.Side;
import org.xfrmbridge.lab.Topology;

/**
 * Why: modes and address families are separate branches of the packet path. Topology: two hosts. Steps: one CHILD_SA
 * per mode and families, five pings, terminate. Expected: no ping is lost, only ESP is on the wire, nothing is left.
 */
class ModeScenario extends PairedScenario {
    @Override
    Pair start() {
        Pair pair = Pair.startMixed("modes", Topology::direct, Pair.NO_ROUTES);
        pair.routeInner(Family.IPV4);
        pair.routeInner(Family.IPV6);
        return pair;
    }

    @ParameterizedTest
    @CsvSource({"IPV4, IPV4", "IPV6, IPV6", "IPV4, IPV6", "IPV6, IPV4"})
    void shouldCarryInnerFamilyInOuterFamilyWhenTunnelled(Family inner, Family outer) {
        Connection connection = new Connection("net").outer(outer);
        connection.child("net", inner);
        pair().prove(connection, "net", pair().ping(inner));
    }

    @ParameterizedTest
    @EnumSource(Family.class)
    void shouldProtectHostToHostTrafficWhenInTransportMode(Family outer) {
        Connection connection = new Connection("host").outer(outer);
        connection.child("host", outer).transport();
        pair().prove(connection, "host", pair().outerPing(outer));
    }

    @ParameterizedTest
    @CsvSource({"IPV4, IPV4", "IPV6, IPV6", "IPV4, IPV6", "IPV6, IPV4"})
    void shouldExchangeAddressesWhenBoundEndToEnd(Family inner, Family outer) {
        Connection connection = new Connection("beet").outer(outer);
        connection.child("beet", inner).set("mode", "beet");
        pair().prove(connection, "beet", pair().ping(inner));
    }

    @ParameterizedTest
    @EnumSource(Family.class)
    void shouldProtectOnlyItsProtocolWhenSelectorsAreNarrow(Family inner) {
        String suffix = inner == Family.IPV4 ? "[icmp]" : "[ipv6-icmp]";
        Addresses left = pair().topology().site(Side.LEFT).inner();
        Addresses right = pair().topology().site(Side.RIGHT).inner();
        Connection connection = new Connection("narrow");
        connection
                .child("narrow", inner)
                .between(inner.host(left.of(inner)) + suffix, inner.host(right.of(inner)) + suffix);
        pair().prove(connection, "narrow", pair().ping(inner));
    }
}
