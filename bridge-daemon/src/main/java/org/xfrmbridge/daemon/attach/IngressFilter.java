package org.xfrmbridge.daemon.attach;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.xfrmbridge.daemon.nft.Batch;
import org.xfrmbridge.daemon.nft.Batch.Family;
import org.xfrmbridge.daemon.nft.Batch.Hook;
import org.xfrmbridge.daemon.nft.Batch.Policy;
import org.xfrmbridge.daemon.nft.NetfilterSocket;
import org.xfrmbridge.daemon.nft.TakenFrames;
import org.xfrmbridge.daemon.os.NetlinkSocket;
import org.xfrmbridge.daemon.os.OsException;

/**
 * Keeps all that arrives on a device from the host's stack, with a table of nftables of its own: {@code table netdev
 * xfrm-bridge-DEVICE}, with a chain that drops. A Linux bridge hands broadcasts, multicasts and what is for its ports'
 * own addresses to the host through its device, and no setting of IP stops all of it: from 0.0.0.0 no reverse path is
 * asked for. What the bridge forwards does not come along here. Without nftables in the kernel there is a warning, and
 * the rest of the isolation stays. A second chain keeps from the bridge what a ring takes at one of its ports. One
 * thread at a time.
 */
final class IngressFilter implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(IngressFilter.class);

    private static final String CHAIN = "ingress";
    private static final String TAKEN = "taken";
    private static final int FIRST_OF_ALL = Integer.MIN_VALUE;

    private final String device;
    private final NetfilterSocket netfilter;
    /** Null while nothing is taken at a port. */
    private String port;

    private int mostPacketBytes;

    private IngressFilter(String device) throws OsException {
        this.device = device;
        netfilter = new NetfilterSocket(NetlinkSocket.toNetfilter());
    }

    /** From now on the host gets nothing from the device. May be repeated. Null if the kernel cannot do that. */
    static IngressFilter install(String device) {
        IngressFilter filter = null;
        try {
            filter = new IngressFilter(device);
            filter.replaceTable();
            return filter;
        } catch (OsException e) {
            LOG.warn(
                    "the kernel cannot filter what arrives on {} ({}): broadcasts and multicasts from 0.0.0.0 reach "
                            + "the host whatever its policies say; load nf_tables",
                    device,
                    e.getMessage());
            if (filter != null) {
                filter.close();
            }
            return null;
        }
    }

    /** From now on the port does not have what a ring there takes, packets of at most so many bytes. */
    void dropTaken(String device, int bytes) throws OsException {
        port = device;
        mostPacketBytes = bytes;
        replaceTable();
    }

    /** Makes it anew if somebody has taken it away, as {@code nft flush ruleset} does with the tables of everybody. */
    void keep() {
        try {
            if (!isThere()) {
                replaceTable();
                LOG.warn(
                        "somebody has taken away nftables' table netdev {}, which keeps what arrives on {} from the "
                                + "host: it is there again",
                        table(),
                        device);
            }
        } catch (OsException e) {
            LOG.warn("nftables' table netdev {} could not be looked after: {}", table(), e.getMessage());
        }
    }

    /** Takes the table away, if there is one. */
    static void remove(String device) {
        try (IngressFilter filter = new IngressFilter(device)) {
            filter.deleteTable();
        } catch (OsException e) {
            LOG.debug("no filter of {} to remove: {}", device, e.getMessage());
        }
    }

    /** Whether that of a device is there. */
    static boolean isThere(String device) throws OsException {
        try (IngressFilter filter = new IngressFilter(device)) {
            return filter.isThere();
        }
    }

    /** The table stays. */
    @Override
    public void close() {
        netfilter.close();
    }

    private boolean isThere() throws OsException {
        return netfilter.hasChain(Family.NETDEV, table(), CHAIN)
                && (port == null || netfilter.hasChain(Family.NETDEV, table(), TAKEN));
    }

    /**
     * A table that is there may have lost its chain, with a device of that name: it is made anew, in one transaction.
     */
    private void replaceTable() throws OsException {
        Hook hook = new Hook("filter", Hook.INGRESS, FIRST_OF_ALL, device);
        Batch batch = new Batch(Family.NETDEV, table())
                .addTable(0)
                .deleteTable()
                .addTable(0)
                .addChain(CHAIN, hook, Policy.DROP);
        netfilter.commit(port == null ? batch : TakenFrames.drop(batch, TAKEN, port, mostPacketBytes));
    }

    private void deleteTable() throws OsException {
        netfilter.commit(new Batch(Family.NETDEV, table()).deleteTable());
    }

    static String tableOf(String device) {
        return "xfrm-bridge-" + device;
    }

    private String table() {
        return tableOf(device);
    }
}
