package org.xfrmbridge.daemon.route;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import org.xfrmbridge.daemon.os.NetlinkSocket;
import org.xfrmbridge.daemon.os.OsException;
import org.xfrmbridge.netlink.nl.NetlinkHeader;
import org.xfrmbridge.netlink.nl.NetlinkWriter;

/**
 * Asks the kernel and waits for the answer. A refusal is an {@link OsException} with the kernel's words. One thread at
 * a time.
 */
public final class RouteSocket implements AutoCloseable {
    private static final int MAX_DUMP_TRIES = 10;

    private final NetlinkExchange exchange;

    public RouteSocket() throws OsException {
        exchange = new NetlinkExchange(new NetlinkSocket(), RouteMessage::nameOf);
    }

    /** Starts a message of that type; its header and attributes follow. */
    public NetlinkWriter request(int type, int flags) {
        return exchange.request(type, flags);
    }

    /** Has something done: create, change, delete. */
    public void change(NetlinkWriter request) throws OsException {
        request.addFlags(NetlinkHeader.ACK).end();
        exchange(request.toBytes());
    }

    /** Sends a whole message that was read before, or made from one. */
    public void change(RouteMessage message, int flags) throws OsException {
        change(request(message.type(), flags).putBytes(message.payload()));
    }

    /** Asks for one thing; null if the kernel answered with nothing. */
    public RouteMessage get(NetlinkWriter request) throws OsException {
        request.end();
        List<RouteMessage> answers = exchange(request.toBytes());
        return answers.isEmpty() ? null : answers.getFirst();
    }

    /** All entries of a kind. @param header the fixed part: family first, filters the kernel knows */
    public List<RouteMessage> dump(int type, byte[] header) throws OsException {
        List<RouteMessage> entries = new ArrayList<>();
        for (int tries = 0; ; tries++) {
            entries.clear();
            if (dump(type, header, entries::add) || tries == MAX_DUMP_TRIES) {
                return entries;
            }
        }
    }

    /** The same, one by one, however many there are: each at least once. */
    void forEach(int type, byte[] header, Consumer<RouteMessage> action) throws OsException {
        for (int tries = 0; !dump(type, header, action) && tries < MAX_DUMP_TRIES; tries++) {}
    }

    /** False if entries changed meanwhile, so that some may be missing. */
    private boolean dump(int type, byte[] header, Consumer<RouteMessage> action) throws OsException {
        return exchange(request(type, NetlinkHeader.DUMP).putBytes(header).end().toBytes(), action);
    }

    private List<RouteMessage> exchange(byte[] request) throws OsException {
        List<RouteMessage> answers = new ArrayList<>();
        exchange(request, answers::add);
        return answers;
    }

    private boolean exchange(byte[] request, Consumer<RouteMessage> answers) throws OsException {
        return exchange.run(request, reader -> answers.accept(RouteMessage.copyOf(reader)));
    }

    /** Of the network namespace that it asks; 0 if the kernel has none. See {@link NetlinkSocket#namespaceCookie}. */
    public long namespaceCookie() throws OsException {
        return exchange.namespaceCookie();
    }

    @Override
    public void close() {
        exchange.close();
    }
}
