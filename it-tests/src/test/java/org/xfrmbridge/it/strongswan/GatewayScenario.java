package org.xfrmbridge.it.strongswan;

import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.xfrmbridge.it.harness.Ping;
import org.xfrmbridge.lab.Command;
import org.xfrmbridge.lab.Gateway.Family;
import org.xfrmbridge.lab.Side;

/**
 * Why: most bridges will stand on gateways, where what is protected is forwarded ({@code dir fwd}). Topology: two
 * gateways with a client behind each. Steps: net-to-net tunnels, pings between the clients, also in fragments and of a
 * size that does not fit. Expected: no ping is lost; who forbids fragmentation is told the size that fits.
 */
@Tag("debian-13")
class GatewayScenario extends PairedScenario {
    @Override
    Pair start() {
        return Nets.start("gateway", Nets.Outer.SAME_FAMILY);
    }

    @ParameterizedTest
    @CsvSource({"LEFT, IPV4", "RIGHT, IPV4", "LEFT, IPV6", "RIGHT, IPV6"})
    void shouldForwardBetweenClientsWhenNetsAreProtected(Side from, Family inner) {
        Ping.inner(pair().topology(), from, inner).send().assertComplete();
        Ping.inner(pair().topology(), from, inner).payloadBytes(1300).send().assertComplete();
    }

    @ParameterizedTest
    @CsvSource({"LEFT, IPV4", "RIGHT, IPV4", "LEFT, IPV6", "RIGHT, IPV6"})
    void shouldForwardFragmentsWhenClientsSendThem(Side from, Family inner) {
        Ping.inner(pair().topology(), from, inner).payloadBytes(4000).send().assertComplete();
    }

    @ParameterizedTest
    @CsvSource({"IPV4, 1472", "IPV6, 1452"})
    void shouldTellSizeThatFitsWhenFragmentsAreForbidden(Family inner, String payloadBytes) {
        Command.Result tooBig = pair().topology()
                .left()
                .client()
                .command(
                        "ping",
                        "-n",
                        "-c",
                        "2",
                        "-W",
                        "1",
                        "-M",
                        "do",
                        "-s",
                        payloadBytes,
                        pair().topology().right().inner().of(inner))
                .result();
        assertTrue(tooBig.output().contains("mtu"), tooBig.output());
        pair().sniffer().assertNothingClear();
    }
}
