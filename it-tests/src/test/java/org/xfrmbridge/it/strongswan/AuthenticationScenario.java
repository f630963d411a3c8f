package org.xfrmbridge.it.strongswan;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.xfrmbridge.it.strongswan.Connection.Authentication;
import org.xfrmbridge.lab.Gateway.Family;
import org.xfrmbridge.lab.Topology;

/**
 * Why: IKE messages of every kind must pass the bridge, also long ones, and IKEv1 drives the databases in another order
 * than IKEv2. Topology: two hosts. Steps: IKEv1 (main mode) and IKEv2, keys and certificates, tunnel and transport
 * mode, five pings, terminate. Expected: no ping is lost, only ESP is on the wire, nothing is left.
 */
class AuthenticationScenario extends PairedScenario {
    @Override
    Pair start() {
        return Pair.start("authentication", Topology::direct);
    }

    @ParameterizedTest
    @CsvSource({"2, SHARED_KEY", "2, CERTIFICATE", "1, SHARED_KEY", "1, CERTIFICATE"})
    void shouldProtectTunnelWhenPeersHaveProvedThemselves(String version, Authentication authentication) {
        Connection connection = connection(version, authentication);
        connection.child("net", Family.IPV4);
        pair().prove(connection, "net", pair().ping(Family.IPV4));
    }

    @ParameterizedTest
    @CsvSource({"2, SHARED_KEY", "2, CERTIFICATE", "1, SHARED_KEY", "1, CERTIFICATE"})
    void shouldProtectHostsWhenPeersHaveProvedThemselves(String version, Authentication authentication) {
        Connection connection = connection(version, authentication);
        connection.child("host", Family.IPV4).transport();
        pair().prove(connection, "host", pair().outerPing(Family.IPV4));
    }

    private static Connection connection(String version, Authentication authentication) {
        return new Connection("ike").authenticate(authentication).set("version", version);
    }
}
