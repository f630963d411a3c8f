package org.xfrmbridge.pfkey.client;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import org.xfrmbridge.io.MessageSocket;
import org.xfrmbridge.km.RefusedException;
import org.xfrmbridge.pfkey.sadb.SadbMsg;
import org.xfrmbridge.pfkey.sadb.SadbType;
import org.xfrmbridge.pfkey.sadb.SadbWriter;

/**
 * Requests and their answers on one socket, which hears what all others do as well: an answer has the pid, number and
 * type of its request. What is sent is wiped, as it may hold keys. One thread.
 */
final class PfkeyExchange implements AutoCloseable {
    private static final int ANSWER_LIMIT_MS = 10_000;

    /** Every exchange of this process is a client of its own. */
    private static final AtomicInteger COUNT = new AtomicInteger();

    private final MessageSocket socket;
    private final int pid = (int) ProcessHandle.current().pid() ^ COUNT.incrementAndGet() << 24;
    private int sequence;

    PfkeyExchange(MessageSocket socket) {
        this.socket = socket;
    }

    void send(int type, int satype, Consumer<SadbWriter> body) throws IOException {
        SadbWriter out = new SadbWriter(new SadbMsg(type, satype, ++sequence, pid));
        body.accept(out);
        byte[] message = out.toBytes();
        try {
            socket.send(ByteBuffer.wrap(message));
        } finally {
            Arrays.fill(message, (byte) 0);
        }
    }

    /** Sends a request and waits for its answer; a refusal is a {@link RefusedException}. */
    PfkeyMessage ask(int type, int satype, Consumer<SadbWriter> body) throws IOException {
        send(type, satype, body);
        PfkeyMessage answer;
        do {
            answer = next(type);
        } while (answer.header().sequence() != sequence);
        return answer;
    }

    /** The next message of a type to this client; throws if it is a refusal. */
    PfkeyMessage next(int type) throws IOException {
        for (; ; ) {
            ByteBuffer datagram = socket.receive(ANSWER_LIMIT_MS);
            if (datagram == null) {
                throw new IOException("no answer within " + ANSWER_LIMIT_MS / 1000 + " s");
            }
            SadbMsg header = SadbMsg.read(datagram);
            if (header.pid() != pid || header.type() != type) {
                continue;
            }
            if (header.errno() != 0) {
                throw new RefusedException(SadbType.name(type), header.errno(), null);
            }
            return PfkeyMessage.read(datagram);
        }
    }

    @Override
    public void close() {
        socket.close();
    }
}
