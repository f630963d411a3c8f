package org.xfrmbridge.it.strongswan;

import java.util.Map;
import org.xfrmbridge.lab.Gateway.Family;
import org.xfrmbridge.lab.Topology;

/** Two gateways with a tunnel for the IPv4 nets behind them, and one for the IPv6 nets. */
final class Nets {
    private Nets() {}

    /** Starts them. @param outer of the tunnel that a net of this family goes through */
    static Pair start(String name, Outer outer) {
        Pair pair = Pair.startMixed(name, Topology::gateways, Map.of());
        Connection four = new Connection("four").outer(outer.of(Family.IPV4));
        four.child("net4", Family.IPV4).between("10.1.0.0/24", "10.2.0.0/24");
        Connection six = new Connection("six").outer(outer.of(Family.IPV6));
        six.child("net6", Family.IPV6).between("fd01::/64", "fd02::/64");
        pair.load(four, six);
        pair.initiate("net4");
        pair.initiate("net6");
        return pair;
    }

    /** Which tunnel a net goes through. */
    enum Outer {
        SAME_FAMILY,
        OTHER_FAMILY;

        private Family of(Family inner) {
            return (inner == Family.IPV4) == (this == SAME_FAMILY) ? Family.IPV4 : Family.IPV6;
        }
    }
}
