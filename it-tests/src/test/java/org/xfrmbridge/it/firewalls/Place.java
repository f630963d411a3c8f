package org.xfrmbridge.it.firewalls;

import org.xfrmbridge.lab.Gateway.Family;

/** An address from which, or at which, is asked what passes the firewall of the left gateway. */
enum Place {
    /** Behind the gateway, in its tunnel's network. */
    CLIENT("10.1.0.1", "fd01::1"),
    /** The same machine, in a network that has no policy. */
    GUEST("10.5.0.1", "fd05::1"),
    /** The gateway itself, in its tunnel's network. */
    GATEWAY("10.1.0.100", "fd01::100"),
    /** The gateway itself, on the wire. */
    OUTSIDE("192.0.2.1", "2001:db8:7::1"),
    /** At the other end of the tunnel. */
    FAR("10.2.0.1", "fd02::1"),
    /** What no policy protects. */
    WORLD("198.51.100.1", "2001:db8:9::1");

    private final String ipv4;
    private final String ipv6;

    Place(String ipv4, String ipv6) {
        this.ipv4 = ipv4;
        this.ipv6 = ipv6;
    }

    String address(Family family) {
        return family == Family.IPV4 ? ipv4 : ipv6;
    }
}
