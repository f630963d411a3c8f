package org.xfrmbridge.daemon.control;

import java.nio.ByteBuffer;
import java.util.Arrays;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.xfrmbridge.daemon.os.OsException;
import org.xfrmbridge.daemon.os.PollSet;
import org.xfrmbridge.daemon.os.UnixConnection;
import org.xfrmbridge.io.ControlSession;
import org.xfrmbridge.io.MessageQueue;
import org.xfrmbridge.io.MessageSink;

/** A client of netlink.sock or pfkey.sock: between its descriptor and its session. Control thread only. */
final class DatagramChannel implements Channel, MessageSink {
    private static final Logger LOG = LoggerFactory.getLogger(DatagramChannel.class);

    /** Datagrams taken in one turn. */
    private static final int TURN = 32;

    /** How often a client that was answered is looked at again before its turn ends: most ask on within two microseconds. */
    private static final int LOOKS = 12;

    /** Whoever else wants the core gets it after so many. */
    private static final int LOOKS_PER_YIELD = 4;

    /** Twice that is unread before a client is not served further: no less than events may take, {@link MessageQueue#MAX_BUFFER_BYTES}. */
    private static final int SEND_BUFFER_BYTES = 8 << 20;

    /** All clients' requests are read by one thread, one at a time. */
    private static final byte[] DATAGRAM = new byte[UnixConnection.MAX_MESSAGE_BYTES];

    /** When a datagram leaves the client's queue. */
    enum Taking {
        /** At once. */
        FIRST,

        /** When it is answered: the preload library waits for that. */
        LAST
    }

    private final UnixConnection connection;
    private final Taking taking;
    private final Occasion occasion;
    private final String name;
    private ControlSession session;
    private boolean listening;
    private boolean open = true;

    /**
     * @param occasion that each datagram is
     * @param name of the client, for the log
     */
    DatagramChannel(UnixConnection connection, Taking taking, Occasion occasion, String name) throws OsException {
        this.connection = connection;
        this.taking = taking;
        this.occasion = occasion;
        this.name = name;
        connection.setSendBuffer(SEND_BUFFER_BYTES);
    }

    void start(ControlSession newSession) {
        session = newSession;
        LOG.debug("{} connected", name);
    }

    @Override
    public int fd() {
        return connection.fd();
    }

    /** A client that does not read its answers is not asked for more requests. */
    @Override
    public int interest() {
        return session.hasBacklog() ? PollSet.WRITE : PollSet.READ;
    }

    @Override
    public void ready() {
        try {
            if (session.hasBacklog()) {
                session.writable();
            }
            for (int i = 0; i < TURN && open && !session.hasBacklog(); i++) {
                int bytes = i == 0 ? take() : takeNext();
                if (bytes <= 0) {
                    open = bytes == UnixConnection.NOTHING;
                    break;
                }
                handle(bytes);
            }
            announce();
        } catch (OsException e) {
            open = false;
        }
    }

    private int take() throws OsException {
        return taking == Taking.FIRST ? connection.receive(DATAGRAM) : connection.peek(DATAGRAM);
    }

    /** What an answered client may be about to send. */
    private int takeNext() throws OsException {
        int bytes = take();
        for (int look = 1; look < LOOKS && bytes == UnixConnection.NOTHING; look++) {
            if (look % LOOKS_PER_YIELD == 0) {
                Thread.yield();
            }
            bytes = take();
        }
        return bytes;
    }

    private void handle(int bytes) throws OsException {
        occasion.begin();
        try {
            session.receive(ByteBuffer.wrap(DATAGRAM, 0, bytes));
        } finally {
            occasion.end();
            if (taking == Taking.LAST) {
                connection.receive(DATAGRAM);
            }
            // It may have held keys.
            Arrays.fill(DATAGRAM, 0, bytes, (byte) 0);
        }
    }

    /** A client that stays is worth a line; those that ask and go are many. */
    private void announce() {
        if (!listening && session.isListening()) {
            listening = true;
            LOG.info("{} listens", name);
        }
    }

    @Override
    public boolean trySend(ByteBuffer datagram) {
        try {
            int offset = datagram.arrayOffset() + datagram.position();
            return connection.send(datagram.array(), offset, datagram.remaining()) != UnixConnection.NOTHING;
        } catch (OsException e) {
            // Gone, or a message larger than a socket takes: no later attempt would do better.
            open = e.errno() != OsException.EPIPE && open;
            return true;
        }
    }

    @Override
    public int unreadBytes() {
        return connection.unreadBytes();
    }

    @Override
    public boolean isOpen() {
        return open;
    }

    @Override
    public void close() {
        open = false;
        session.close();
        connection.close();
        if (listening) {
            LOG.info("{} is gone", name);
        }
    }
}
