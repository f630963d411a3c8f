package org.xfrmbridge.daemon.nft;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.xfrmbridge.daemon.os.NetlinkSocket;
import org.xfrmbridge.daemon.os.OsException;
import org.xfrmbridge.netlink.nl.Attributes;
import org.xfrmbridge.netlink.nl.NetlinkReader;

/**
 * Whether anybody else may want to see an IP packet that this host sends: rules of nftables or of the older iptables,
 * also those that only have connections tracked, and IPVS. One thread.
 */
public final class OthersRules implements AutoCloseable {
    private static final int TABLE_NAME = 1;
    /** Tells that a transaction is over, whoever's it was. */
    private static final int NEW_GENERATION = Batch.NF_TABLES << 8 | 15;

    private static final int GENERIC_MESSAGE_BYTES = 4;
    /** Families of tables for frames, which have no part in connection tracking of IP packets: arp, netdev, bridge. */
    private static final List<Integer> OF_FRAMES = List.of(3, 5, 7);

    /** There while its module is loaded. */
    private static final Path IPVS = Path.of("/proc/thread-self/net/ip_vs");

    private final NetlinkSocket events = NetlinkSocket.toNetfilter();
    private final NetfilterSocket netfilter;
    private boolean found;

    public OthersRules() throws OsException {
        try {
            events.join(RulesetWatch.GROUP_NFTABLES);
            netfilter = new NetfilterSocket(NetlinkSocket.toNetfilter());
        } catch (OsException e) {
            events.close();
            throw e;
        }
    }

    /** Whether tables of others in nftables have changed, or may have, since this was asked the last time. */
    public boolean haveChanged() throws OsException {
        boolean changed = false;
        try {
            for (ByteBuffer datagram = events.poll(); datagram != null; datagram = events.poll()) {
                NetlinkReader event = new NetlinkReader(datagram);
                while (event.next()) {
                    changed |= event.type() != NEW_GENERATION && isOfOthers(event);
                }
            }
        } catch (OsException e) {
            if (e.errno() != OsException.ENOBUFS) {
                throw e;
            }
            changed = true;
        }
        return changed;
    }

    /** Whether there are tables of others in nftables now. */
    public boolean haveTables() throws OsException {
        found = false;
        netfilter.eachTable(table -> found |= isOfOthers(table));
        return found;
    }

    /** @param message about a table, or anything in one: all have its name as the same attribute */
    private static boolean isOfOthers(NetlinkReader message) {
        int family = message.payload().get(0);
        Attributes attributes = Attributes.parse(message.payload(), GENERIC_MESSAGE_BYTES, TABLE_NAME);
        return !OF_FRAMES.contains(family) && !StackNames.isOwnTable(attributes.getString(TABLE_NAME));
    }

    /** Whether there is what nobody tells of when it comes: the older iptables, IPVS. Costs some microseconds. */
    public boolean haveUntold() {
        return Files.exists(IPVS) || OthersChains.OLDER.stream().anyMatch(OthersRules::namesAny);
    }

    private static boolean namesAny(Path names) {
        try {
            return !Files.readAllLines(names).isEmpty();
        } catch (IOException e) {
            // A kernel without the older iptables has no such file.
            return false;
        }
    }

    @Override
    public void close() {
        events.close();
        netfilter.close();
    }
}
