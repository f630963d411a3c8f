package org.xfrmbridge.it.strongswan;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.xfrmbridge.it.harness.Ping;
import org.xfrmbridge.lab.Gateway.Family;
import org.xfrmbridge.lab.Side;

/**
 * Why: charon's route for a selector of one family inside a tunnel of the other has no gateway. A kernel with XFRM
 * never seeks a neighbour for it, as the tunnel's next hop is another; the host in front of a bridge does, and the
 * bridge answers. Topology: two gateways with a client behind each. Steps: IPv4 nets in an IPv6 tunnel and the reverse,
 * with charon's own routes, pings between the clients. Expected: no ping is lost.
 */
class OnLinkRouteScenario extends PairedScenario {
    @Override
    Pair start() {
        return Nets.start("on-link-route", Nets.Outer.OTHER_FAMILY);
    }

    @ParameterizedTest
    @CsvSource({"LEFT, IPV4", "RIGHT, IPV4", "LEFT, IPV6", "RIGHT, IPV6"})
    void shouldForwardWhenRouteHasNoGateway(Side from, Family inner) {
        Ping.inner(pair().topology(), from, inner).send().assertComplete();
    }
}
