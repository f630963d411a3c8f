package org.xfrmbridge.daemon.nft;

import java.util.function.Consumer;
import org.xfrmbridge.daemon.os.NetlinkSocket;
import org.xfrmbridge.daemon.os.OsException;
import org.xfrmbridge.netlink.nl.Attributes;
import org.xfrmbridge.netlink.nl.NetlinkErrors;
import org.xfrmbridge.netlink.nl.NetlinkHeader;
import org.xfrmbridge.netlink.nl.NetlinkReader;
import org.xfrmbridge.netlink.nl.NetlinkWriter;

/**
 * Transactions and questions to nftables (linux/netfilter/nf_tables.h). A refusal is an {@link OsException} that names
 * the message which was refused, with the kernel's words. One thread at a time.
 */
public final class NetfilterSocket implements AutoCloseable {
    private static final int TABLE_NAME = 1;
    private static final int CHAIN_NAME = 3;
    private static final int GET_GENERATION = 16;
    private static final int GENERATION = 1;
    private static final int GENERIC_MESSAGE_BYTES = 4;

    private final NetlinkSocket socket;

    /** @param socket to NETLINK_NETFILTER; closed with this */
    public NetfilterSocket(NetlinkSocket socket) {
        this.socket = socket;
    }

    /** Carries it out as a whole, or not at all. */
    public void commit(Batch batch) throws OsException {
        if (batch.isEmpty()) {
            return;
        }
        byte[] request = batch.end();
        socket.setSendBuffer(request.length);
        send(request);
        OsException refusal = null;
        while (true) {
            NetlinkReader reader = new NetlinkReader(socket.receive());
            while (reader.next()) {
                int errno = errno(reader);
                if (errno != 0 && refusal == null) {
                    refusal = refusal(batch.text(Math.min(reader.sequence(), batch.last())), reader);
                }
                // A transaction that cannot begin has no other answer.
                if (reader.sequence() == batch.last() || errno != 0 && reader.sequence() == 0) {
                    requireNone(refusal);
                    return;
                }
            }
        }
    }

    private static void requireNone(OsException refusal) throws OsException {
        if (refusal != null) {
            throw refusal;
        }
    }

    public boolean hasTable(Batch.Family family, String table) throws OsException {
        return has(ask(Batch.GET_TABLE, family).putString(TABLE_NAME, table));
    }

    public boolean hasChain(Batch.Family family, String table, String chain) throws OsException {
        return has(ask(Batch.GET_CHAIN, family).putString(TABLE_NAME, table).putString(CHAIN_NAME, chain));
    }

    private static NetlinkWriter ask(int type, Batch.Family family) {
        NetlinkWriter out = new NetlinkWriter();
        Batch.begin(out, Batch.NF_TABLES << 8 | type, NetlinkHeader.ACK, 0, family.number, 0);
        return out;
    }

    private boolean has(NetlinkWriter question) throws OsException {
        try {
            run(question.end().toBytes(), answer -> {});
            return true;
        } catch (OsException e) {
            if (e.errno() == OsException.ENOENT) {
                return false;
            }
            throw e;
        }
    }

    /** All tables of all families. */
    void eachTable(Consumer<NetlinkReader> tables) throws OsException {
        dump(Batch.GET_TABLE, tables);
    }

    /** The number of changes of all rules by now. */
    public int generation() throws OsException {
        NetlinkWriter out = new NetlinkWriter();
        Batch.begin(out, Batch.NF_TABLES << 8 | GET_GENERATION, NetlinkHeader.ACK, 0, 0, 0);
        int[] generation = new int[1];
        run(
                out.end().toBytes(),
                answer -> generation[0] =
                        Integer.reverseBytes(Attributes.parse(answer.payload(), GENERIC_MESSAGE_BYTES, GENERATION)
                                .getInt(GENERATION, 0)));
        return generation[0];
    }

    /** All chains of all families. */
    void eachChain(Consumer<NetlinkReader> chains) throws OsException {
        dump(Batch.GET_CHAIN, chains);
    }

    /** All flowtables of all families. */
    void eachFlowtable(Consumer<NetlinkReader> flowtables) throws OsException {
        dump(Batch.GET_FLOWTABLE, flowtables);
    }

    private void dump(int type, Consumer<NetlinkReader> answers) throws OsException {
        NetlinkWriter out = new NetlinkWriter();
        Batch.begin(out, Batch.NF_TABLES << 8 | type, NetlinkHeader.DUMP, 0, 0, 0);
        run(out.end().toBytes(), answers);
    }

    /** One request, and all that answers it. */
    void run(byte[] request, Consumer<NetlinkReader> answers) throws OsException {
        send(request);
        while (true) {
            NetlinkReader reader = new NetlinkReader(socket.receive());
            while (reader.next()) {
                if (reader.type() == NetlinkHeader.ERROR || reader.type() == NetlinkHeader.DONE) {
                    if (errno(reader) != 0) {
                        throw refusal("nf_tables", reader);
                    }
                    return;
                }
                answers.accept(reader);
            }
        }
    }

    /** What is left of an earlier request, maybe of a process that has died, is no answer to this one. */
    private void send(byte[] request) throws OsException {
        socket.drain();
        socket.send(request);
    }

    private static int errno(NetlinkReader reader) {
        return NetlinkErrors.errno(reader.payload());
    }

    private static OsException refusal(String text, NetlinkReader reader) {
        String words = NetlinkErrors.message(reader);
        return new OsException(words == null ? text : text + " (" + words + ")", errno(reader));
    }

    @Override
    public void close() {
        socket.close();
    }
}
