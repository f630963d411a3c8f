package org.xfrmbridge.netlink.client;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.util.Spliterator;
import java.util.Spliterators.AbstractSpliterator;
import java.util.function.Consumer;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.xfrmbridge.netlink.nl.NetlinkHeader;
import org.xfrmbridge.netlink.nl.NetlinkReader;

/** A dump as a stream: the other side makes the next datagram when the last one has been read. One thread. */
final class DumpReader<T> extends AbstractSpliterator<T> {
    interface Decoder<T> {
        T decode(ByteBuffer payload) throws IOException;
    }

    private final Exchange exchange;
    private final Decoder<T> decoder;
    private boolean done;

    private DumpReader(Exchange exchange, Decoder<T> decoder) {
        super(Long.MAX_VALUE, Spliterator.ORDERED | Spliterator.NONNULL);
        this.exchange = exchange;
        this.decoder = decoder;
    }

    /** Takes the connection over: it is closed at the end of the dump, or with the stream. */
    static <T> Stream<T> start(NetlinkConnection connection, int type, Exchange.Body body, Decoder<T> decoder)
            throws IOException {
        Exchange exchange = new Exchange(connection);
        try {
            exchange.send(type, NetlinkHeader.REQUEST | NetlinkHeader.DUMP, body);
        } catch (IOException e) {
            exchange.close();
            throw e;
        }
        return StreamSupport.stream(new DumpReader<>(exchange, decoder), false).onClose(exchange::close);
    }

    @Override
    public boolean tryAdvance(Consumer<? super T> action) {
        if (done) {
            return false;
        }
        T entry;
        try {
            NetlinkReader message = exchange.next();
            done = message.header().type() == NetlinkHeader.DONE;
            entry = done ? null : decoder.decode(message.payload());
        } catch (IOException e) {
            done = true;
            exchange.close();
            throw new UncheckedIOException(e);
        }
        if (done) {
            exchange.close();
            return false;
        }
        action.accept(entry);
        return true;
    }
}
