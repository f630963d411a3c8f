package org.xfrmbridge.pfkey.client;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.Spliterator;
import java.util.Spliterators.AbstractSpliterator;
import java.util.function.Consumer;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.xfrmbridge.km.Errno;
import org.xfrmbridge.km.RefusedException;

/**
 * A dump as a stream: a message for each entry, of which the last has number 0; of nothing the answer is ENOENT. One
 * thread.
 */
final class PfkeyDump extends AbstractSpliterator<PfkeyMessage> {
    private final PfkeyExchange exchange;
    private final int type;
    private boolean done;

    private PfkeyDump(PfkeyExchange exchange, int type) {
        super(Long.MAX_VALUE, Spliterator.ORDERED | Spliterator.NONNULL);
        this.exchange = exchange;
        this.type = type;
    }

    /** Takes the exchange over: it is closed at the end of the dump, or with the stream. */
    static Stream<PfkeyMessage> start(PfkeyExchange exchange, int type, int satype) throws IOException {
        try {
            exchange.send(type, satype, out -> {});
        } catch (IOException e) {
            exchange.close();
            throw e;
        }
        return StreamSupport.stream(new PfkeyDump(exchange, type), false).onClose(exchange::close);
    }

    @Override
    public boolean tryAdvance(Consumer<? super PfkeyMessage> action) {
        if (done) {
            return false;
        }
        PfkeyMessage message = next();
        if (message == null || message.header().sequence() == 0) {
            done = true;
            exchange.close();
        }
        if (message != null) {
            action.accept(message);
        }
        return message != null;
    }

    private PfkeyMessage next() {
        try {
            return exchange.next(type);
        } catch (RefusedException e) {
            if (e.is(Errno.ENOENT)) {
                return null;
            }
            throw failed(e);
        } catch (IOException e) {
            throw failed(e);
        }
    }

    private UncheckedIOException failed(IOException e) {
        done = true;
        exchange.close();
        return new UncheckedIOException(e);
    }
}
