package org.xfrmbridge.it.firewalls;

import org.xfrmbridge.it.harness.NetTunnels;
import org.xfrmbridge.lab.Gateway.Family;
import org.xfrmbridge.lab.Namespace;
import org.xfrmbridge.lab.Side;

/** One of the programs of iptables on the gateway. */
record Iptables(Namespace host, Kind kind, Family family) {
    /** What keeps the rules. */
    enum Kind {
        NFT,
        LEGACY
    }

    /** With {@code t} for the program, and names of places and networks for their addresses. */
    private static final String WORDS = """
            t() { %1$s -w "$@"; }
            near=%2$s far=%3$s
            """;

    private static final String FLUSH = """
            for chain in INPUT FORWARD OUTPUT; do t -P $chain ACCEPT; done
            for table in raw mangle nat filter; do
                t -t $table -F
                t -t $table -X
            done
            """;

    String program() {
        return (family == Family.IPV4 ? "iptables-" : "ip6tables-") + (kind == Kind.NFT ? "nft" : "legacy");
    }

    /** A shell's commands, with {@code t} for the program, {@code $near} and {@code $far} for the tunnel's networks. */
    void run(String commands) {
        host.run(
                "sh",
                "-ec",
                WORDS.formatted(
                                program(),
                                NetTunnels.network(Side.LEFT, family),
                                NetTunnels.network(Side.RIGHT, family))
                        + commands);
    }

    void flush() {
        run(FLUSH);
    }
}
