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

    /** The same where there is a mailbox: a look takes longer. */
    private static final int MAILBOX_LOOKS = 1;

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

    private final Line line;
    private final Taking taking;
    private final Occasion occasion;
    private final Talkers talkers;
    private final String name;
    private ControlSession session;
    private boolean listening;
    private boolean talking;
    private boolean open = true;

    /**
     * @param occasion that each datagram is
     * @param talkers that it is one of when it has a mailbox
     * @param name of the client, for the log
     */
    DatagramChannel(UnixConnection connection, Taking taking, Occasion occasion, Talkers talkers, String name)
            throws OsException {
        this.line = new Line(connection);
        this.taking = taking;
        this.occasion = occasion;
        this.talkers = talkers;
        this.name = name;
        connection.setSendBuffer(SEND_BUFFER_BYTES);
    }

    void start(ControlSession newSession) {
        session = newSession;
        LOG.debug("{} connected", name);
    }

    @Override
    public int fd() {
        return line.fd();
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
            invite();
            talkers.note(this);
        } catch (OsException e) {
            open = false;
        }
    }

    private int take() throws OsException {
        return taking == Taking.FIRST ? line.receive(DATAGRAM) : line.peek(DATAGRAM);
    }

    /** What an answered client may be about to send. */
    private int takeNext() throws OsException {
        int bytes = UnixConnection.NOTHING;
        int looks = line.hasMailbox() ? MAILBOX_LOOKS : LOOKS;
        for (int look = 1; look <= looks && bytes == UnixConnection.NOTHING; look++) {
            if (look % LOOKS_PER_YIELD == 0) {
                Thread.yield();
            }
            line.look();
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
                line.takePeeked(DATAGRAM);
            }
            // It may have held keys.
            Arrays.fill(DATAGRAM, 0, bytes, (byte) 0);
        }
    }

    /** Whether it did not talk before. */
    boolean startTalking() {
        boolean starts = !talking && line.hasMailbox();
        talking |= starts;
        return starts;
    }

    /** Whether it is done with that, and no request is in the mailbox; nothing else is, either way. */
    boolean stopTalking() {
        talking = open && line.rest() && !session.hasBacklog();
        return !talking;
    }

    /** Lets the client put a request into its mailbox. */
    void invite() {
        if (open && !session.hasBacklog()) {
            line.invite();
        }
    }

    /** Whether there is a request in the mailbox that may be taken. */
    boolean isAsking() {
        return open && line.isAsked() && !session.hasBacklog();
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
            boolean sent = line.send(datagram);
            talkers.note(this);
            return sent;
        } catch (OsException e) {
            // Gone, or a message larger than a socket takes: no later attempt would do better.
            open = e.errno() != OsException.EPIPE && open;
            return true;
        }
    }

    @Override
    public int unreadBytes() {
        return line.unreadBytes();
    }

    @Override
    public boolean isOpen() {
        return open;
    }

    @Override
    public void close() {
        open = false;
        session.close();
        line.close();
        if (listening) {
            LOG.info("{} is gone", name);
        }
    }
}
