package org.xfrmbridge.it.openiked;

import org.xfrmbridge.it.harness.Ping;
import org.xfrmbridge.it.strongswan.Connection;
import org.xfrmbridge.lab.Gateway;
import org.xfrmbridge.lab.Gateway.Family;
import org.xfrmbridge.lab.Side;
import org.xfrmbridge.lab.Topology;

/**
 * iked.conf with one policy, which rekeys by bytes and has the algorithms PF_KEY can say.
 *
 * @param mode {@code tunnel} between the inner addresses, or {@code transport} between the outer ones
 * @param family of the addresses
 */
record IkedConf(Topology topology, String mode, Family family) {
    /** iked asks for a rekeying at 85 to 95 % of it. */
    private static final int LIFETIME_BYTES = 60_000;
    /** Of an IPv4 packet and an echo request. */
    private static final int HEADER_BYTES = 28;

    private static final int LONG_BYTES = 1200;
    private static final int SHORT_BYTES = 100;
    private static final int INTERVAL_MS = 50;

    /** The text for iked on {@code side}; {@code active} or {@code passive}: does it initiate. */
    String of(Side side, String role) {
        Gateway here = topology.site(side);
        Gateway there = topology.site(side.other());
        return "ikev2 \"wire\" %s %s esp from %s to %s local %s peer %s"
                        .formatted(
                                role,
                                mode,
                                protectedEnd(here),
                                protectedEnd(there),
                                here.outer().of(family),
                                there.outer().of(family))
                + " ikesa enc aes-128 prf hmac-sha2-256 auth hmac-sha2-256 group curve25519"
                + " childsa enc aes-128 auth hmac-sha1 group curve25519"
                + " srcid %s dstid %s".formatted(side.identity(), side.other().identity())
                + " lifetime 3600 bytes %d psk \"%s\"\n".formatted(LIFETIME_BYTES, Connection.SHARED_KEY);
    }

    /**
     * Sends more than an SA may carry, in a tunnel, and returns how many pings were lost. Long ones to where iked asks
     * for the next SA, then short ones: they take a second or more from there to where the old one is used up, which is
     * long enough for a negotiation on a busy machine.
     */
    static int lostBeyondLifetime(Ping ping) {
        int quick = LIFETIME_BYTES * 8 / 10 / (LONG_BYTES + HEADER_BYTES);
        ping.payloadBytes(LONG_BYTES).send(quick, INTERVAL_MS).assertComplete();
        int slow = LIFETIME_BYTES * 22 / 100 / (SHORT_BYTES + HEADER_BYTES);
        return ping.payloadBytes(SHORT_BYTES).send(slow, INTERVAL_MS).lost();
    }

    /** The way of the host of {@code side} to what tunnels protect; iked makes no routes. */
    void route(Side side) {
        Gateway here = topology.site(side);
        Gateway there = topology.site(side.other());
        if (mode.equals("tunnel")) {
            here.host()
                    .ip(
                            "-" + family.label(),
                            "route",
                            "replace",
                            protectedEnd(there),
                            "via",
                            there.outer().of(family),
                            "src",
                            protectedEnd(here));
        }
    }

    private String protectedEnd(Gateway site) {
        return (mode.equals("tunnel") ? site.inner() : site.outer()).of(family);
    }
}
