package org.xfrmbridge.it.harness;

import java.util.function.UnaryOperator;
import org.xfrmbridge.lab.Gateway;
import org.xfrmbridge.lab.Gateway.Family;
import org.xfrmbridge.lab.Side;

/** Tunnels with fixed keys between the networks behind two gateways, one for each family. */
public final class NetTunnels {
    private static final String DATABASES = """
            for way in '%1$s %2$s' '%2$s %1$s'; do
                set -- $way
                ip xfrm state add src $1 dst $2 proto esp spi 0x100%5$s mode tunnel flag af-unspec \
                    aead 'rfc4106(gcm(aes))' 0x000102030405060708090a0b0c0d0e0f10111213 128
            done
            set -- %3$s %4$s
            ip xfrm policy add src $1 dst $2 dir out tmpl src %1$s dst %2$s proto esp mode tunnel
            for dir in in fwd; do
                ip xfrm policy add src $2 dst $1 dir $dir tmpl src %2$s dst %1$s proto esp mode tunnel
            done
            """;

    private NetTunnels() {}

    /**
     * Gives both bridges States and Policies, and both hosts the routes.
     *
     * @param outer the family of the tunnel for an inner one
     */
    public static void install(BridgedPair hosts, UnaryOperator<Family> outer) {
        for (Side side : Side.values()) {
            Gateway here = hosts.topology().site(side);
            Gateway there = hosts.topology().site(side.other());
            for (Family inner : Family.values()) {
                hosts.bridge(side)
                        .run(
                                "sh",
                                "-ec",
                                DATABASES.formatted(
                                        here.outer().of(outer.apply(inner)),
                                        there.outer().of(outer.apply(inner)),
                                        network(side, inner),
                                        network(side.other(), inner),
                                        inner.label()));
                here.host().route(network(side.other(), inner), there.outer().of(inner));
            }
        }
    }

    /** The network behind a gateway. */
    public static String network(Side side, Family family) {
        int number = side.ordinal() + 1;
        return family == Family.IPV4 ? "10." + number + ".0.0/16" : "fd0" + number + "::/64";
    }
}
