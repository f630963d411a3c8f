package org.xfrmbridge.daemon.nft;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.xfrmbridge.daemon.os.NetlinkSocket;
import org.xfrmbridge.daemon.os.OsException;
import org.xfrmbridge.netlink.nl.Attributes;
import org.xfrmbridge.netlink.nl.NetlinkReader;

/**
 * Whether others on this host have chains that translate addresses, of nftables or of the older iptables. Of the older
 * there are no events: ask every few seconds. One thread.
 */
public final class OthersNat implements AutoCloseable {
    private static final int CHAIN_TABLE = 1;
    private static final int CHAIN_TYPE = 7;
    private static final int GENERIC_MESSAGE_BYTES = 4;
    private static final List<Path> OLDER = List.of(
            Path.of("/proc/thread-self/net/ip_tables_names"), Path.of("/proc/thread-self/net/ip6_tables_names"));

    private final NetfilterSocket netfilter;
    private boolean found;

    private OthersNat() throws OsException {
        netfilter = new NetfilterSocket(NetlinkSocket.toNetfilter());
    }

    public static OthersNat open() throws OsException {
        return new OthersNat();
    }

    /** Whether there are any now. */
    public boolean isThere() throws OsException {
        found = OLDER.stream().anyMatch(OthersNat::namesNat);
        netfilter.eachChain(chain -> found |= isNatOfOthers(chain));
        return found;
    }

    private static boolean isNatOfOthers(NetlinkReader chain) {
        Attributes attributes = Attributes.parse(chain.payload(), GENERIC_MESSAGE_BYTES, CHAIN_TYPE);
        return "nat".equals(attributes.getString(CHAIN_TYPE))
                && !StackNames.TABLE.equals(attributes.getString(CHAIN_TABLE));
    }

    private static boolean namesNat(Path names) {
        try {
            return Files.readAllLines(names).contains("nat");
        } catch (IOException e) {
            // A kernel without the older iptables has no such file.
            return false;
        }
    }

    @Override
    public void close() {
        netfilter.close();
    }
}
