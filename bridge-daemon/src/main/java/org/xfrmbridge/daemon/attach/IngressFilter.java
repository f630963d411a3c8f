package org.xfrmbridge.daemon.attach;

import java.nio.ByteBuffer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.xfrmbridge.daemon.os.NetlinkSocket;
import org.xfrmbridge.daemon.os.OsException;
import org.xfrmbridge.netlink.nl.NetlinkErrors;
import org.xfrmbridge.netlink.nl.NetlinkHeader;
import org.xfrmbridge.netlink.nl.NetlinkReader;
import org.xfrmbridge.netlink.nl.NetlinkWriter;

/**
 * Keeps all that arrives on a device from the host's stack, with a table of nftables of its own: {@code table netdev
 * xfrm-bridge-DEVICE}, whose only chain drops. A Linux bridge hands broadcasts, multicasts and what is for its ports'
 * own addresses to the host through its device, and no setting of IP stops all of it: from 0.0.0.0 no reverse path is
 * asked for. What the bridge forwards does not come along here. Uses nfnetlink alone (linux/netfilter/nf_tables.h).
 * Without nftables in the kernel there is a warning, and the rest of the isolation stays. One thread at a time.
 */
final class IngressFilter implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(IngressFilter.class);

    private static final String CHAIN = "ingress";
    private static final byte NFPROTO_NETDEV = 5;
    private static final short NF_TABLES = 10;
    private static final int BATCH_BEGIN = 0x10;
    private static final int BATCH_END = 0x11;
    private static final int NEW_TABLE = NF_TABLES << 8;
    private static final int DELETE_TABLE = NF_TABLES << 8 | 2;
    private static final int NEW_CHAIN = NF_TABLES << 8 | 3;
    private static final int GET_CHAIN = NF_TABLES << 8 | 4;
    private static final int NFTA_TABLE_NAME = 1;
    private static final int NFTA_CHAIN_TABLE = 1;
    private static final int NFTA_CHAIN_NAME = 3;
    private static final int NFTA_CHAIN_HOOK = 4 | 0x8000;
    private static final int NFTA_CHAIN_POLICY = 5;
    private static final int NFTA_CHAIN_TYPE = 7;
    private static final int NFTA_HOOK_NUMBER = 1;
    private static final int NFTA_HOOK_PRIORITY = 2;
    private static final int NFTA_HOOK_DEVICE = 3;
    private static final int NF_NETDEV_INGRESS = 0;
    private static final int FIRST_OF_ALL = Integer.MIN_VALUE;
    private static final int NF_DROP = 0;

    private final String device;
    private final NetlinkSocket socket;
    private NetlinkWriter batch = new NetlinkWriter();
    private int sequence;
    /** Number of the first message of what is asked now. */
    private int first;

    private IngressFilter(String device) throws OsException {
        this.device = device;
        socket = NetlinkSocket.toNetfilter();
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

    /** The table stays. */
    @Override
    public void close() {
        socket.close();
    }

    private boolean isThere() throws OsException {
        restart();
        message(GET_CHAIN, NetlinkHeader.ACK, NFPROTO_NETDEV);
        batch.putString(NFTA_CHAIN_TABLE, table())
                .putString(NFTA_CHAIN_NAME, CHAIN)
                .end();
        try {
            exchange(sequence);
            return true;
        } catch (OsException e) {
            if (e.errno() == OsException.ENOENT) {
                return false;
            }
            throw e;
        }
    }

    /**
     * A table that is there may have lost its chain, with a device of that name: it is made anew, in one transaction.
     */
    private void replaceTable() throws OsException {
        begin();
        table(NEW_TABLE, NetlinkHeader.CREATE);
        table(DELETE_TABLE, 0);
        table(NEW_TABLE, NetlinkHeader.CREATE);
        message(NEW_CHAIN, NetlinkHeader.CREATE | NetlinkHeader.ACK, NFPROTO_NETDEV);
        batch.putString(NFTA_CHAIN_TABLE, table()).putString(NFTA_CHAIN_NAME, CHAIN);
        int hook = batch.beginAttribute(NFTA_CHAIN_HOOK);
        putBigEndian(NFTA_HOOK_NUMBER, NF_NETDEV_INGRESS);
        putBigEndian(NFTA_HOOK_PRIORITY, FIRST_OF_ALL);
        batch.putString(NFTA_HOOK_DEVICE, device).endAttribute(hook);
        putBigEndian(NFTA_CHAIN_POLICY, NF_DROP);
        batch.putString(NFTA_CHAIN_TYPE, "filter").end();
        commit();
    }

    private void deleteTable() throws OsException {
        begin();
        table(DELETE_TABLE, NetlinkHeader.ACK);
        commit();
    }

    private String table() {
        return "xfrm-bridge-" + device;
    }

    private void table(int type, int flags) {
        message(type, flags, NFPROTO_NETDEV);
        batch.putString(NFTA_TABLE_NAME, table()).end();
    }

    private void restart() {
        batch = new NetlinkWriter();
        first = sequence + 1;
    }

    private void begin() {
        restart();
        message(BATCH_BEGIN, 0, (byte) 0);
        batch.end();
    }

    /** {@code struct nfgenmsg}: family, version, and in network order the subsystem that a batch is for. */
    private void message(int type, int flags, byte family) {
        boolean marksBatch = type == BATCH_BEGIN || type == BATCH_END;
        batch.begin(type, NetlinkHeader.REQUEST | flags, ++sequence, 0);
        batch.room(4).put(family).put((byte) 0).put((byte) 0).put((byte) (marksBatch ? NF_TABLES : 0));
    }

    private void putBigEndian(int type, int value) {
        batch.putBytes(type, ByteBuffer.allocate(4).putInt(value).array());
    }

    private void commit() throws OsException {
        int last = sequence;
        message(BATCH_END, 0, (byte) 0);
        batch.end();
        exchange(last);
    }

    /** @param last number of the message whose acknowledgement is waited for */
    private void exchange(int last) throws OsException {
        socket.send(batch.toBytes());
        boolean done = false;
        while (!done) {
            NetlinkReader reader = new NetlinkReader(socket.receive());
            while (reader.next()) {
                NetlinkHeader header = reader.header();
                // What is left of a refused batch is of earlier numbers.
                if (header.type() == NetlinkHeader.ERROR && header.sequence() >= first) {
                    refuse(NetlinkErrors.errno(reader.payload()));
                    done |= header.sequence() == last;
                }
            }
        }
    }

    private static void refuse(int errno) throws OsException {
        if (errno != 0) {
            throw new OsException("nf_tables", errno);
        }
    }
}
