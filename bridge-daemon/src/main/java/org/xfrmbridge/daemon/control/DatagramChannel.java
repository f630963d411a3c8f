package org.xfrmbridge.daemon.control;

import java.nio.ByteBuffer;
import java.util.Arrays;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.xfrmbridge.daemon.os.OsException;
import org.xfrmbridge.daemon.os.PollSet;
import org.xfrmbridge.daemon.os.UnixConnection;
import org.xfrmbridge.io.ControlSession;
import org.xfrmbridge.io.MessageSink;

/** A client of netlink.sock or pfkey.sock: between its descriptor and its session. One thread: its loop's. */
final class DatagramChannel implements Channel, MessageSink {
    private static final Logger LOG = LoggerFactory.getLogger(DatagramChannel.class);

    /** Datagrams taken in one turn. */
    private static final int TURN = 32;

    /** Bytes of requests after which a turn is over: some hundred requests, a millisecond. */
    private static final int TURN_BYTES = 32 << 10;

    /**
     * How often a client that was answered is looked at again before its turn ends: most ask on within two
     * microseconds.
     */
    private static final int LOOKS = 12;

    /** The same where there is a mailbox: a look takes longer. */
    private static final int MAILBOX_LOOKS = 1;

    /** Whoever else wants the core gets it after so many. */
    private static final int LOOKS_PER_YIELD = 4;

    /** All clients' requests are read by one thread, one at a time. */
    private static final ThreadLocal<byte[]> DATAGRAM =
            ThreadLocal.withInitial(() -> new byte[UnixConnection.MAX_MESSAGE_BYTES]);

    /** When a datagram leaves the client's queue. */
    enum Taking {
        /** At once. */
        FIRST,

        /**
         * When it is answered: the preload library waits for that of PF_KEY, and what a stranger sent takes no memory
         * of ours.
         */
        LAST
    }

    /** Makes the session. */
    interface Opening {
        ControlSession open() throws OsException;
    }

    private final MailboxSocket socket;
    private final Taking taking;
    private final ChangeBatch batch;
    private final BusyMailboxes busyMailboxes;
    private final Peer peer;
    private final String protocol;
    private final byte[] datagram = DATAGRAM.get();
    private Opening opening;
    private ControlSession session;

    /**
     * What the last turn has left of a datagram: a copy, or, of one that is still in the socket, how much was handled.
     */
    private ByteBuffer left;

    private int handledBytes;
    private boolean listening;
    private boolean talking;
    private boolean gone;
    private boolean open = true;

    /**
     * @param batch told of each datagram
     * @param busyMailboxes has it while it has a mailbox
     * @param protocol for the log
     */
    DatagramChannel(
            UnixConnection connection,
            Taking taking,
            ChangeBatch batch,
            BusyMailboxes busyMailboxes,
            Peer peer,
            String protocol) {
        this.socket = new MailboxSocket(connection, peer);
        this.taking = taking;
        this.batch = batch;
        this.busyMailboxes = busyMailboxes;
        this.peer = peer;
        this.protocol = protocol;
    }

    void start(ControlSession newSession) {
        session = newSession;
        LOG.debug("{} {} connected", peer, protocol);
    }

    /** Starts with the first message: many that nobody knows come and go without one. */
    void startLater(Opening session) {
        opening = session;
    }

    @Override
    public int fd() {
        return socket.fd();
    }

    /** A client that does not read its answers is not asked for more requests. */
    @Override
    public int interest() {
        return isBusy() ? PollSet.WRITE : PollSet.READ;
    }

    private boolean isBusy() {
        return left != null || handledBytes > 0 || session != null && session.hasBacklog();
    }

    @Override
    public void ready() {
        try {
            goOn();
            int turnBytes = 0;
            for (int i = 0; i < TURN && turnBytes < TURN_BYTES && open && !isBusy(); i++) {
                int bytes = i == 0 ? take() : takeNext();
                if (bytes <= 0) {
                    open = bytes == UnixConnection.NOTHING;
                    break;
                }
                receive(bytes);
                turnBytes += bytes;
            }
            announce();
            invite();
            busyMailboxes.note(this);
        } catch (OsException e) {
            open = false;
        }
    }

    /** With what the last turn did not do. */
    private void goOn() throws OsException {
        if (left != null) {
            resumeCopy();
        } else if (handledBytes > 0) {
            int bytes = take();
            ByteBuffer rest =
                    ByteBuffer.wrap(datagram, 0, Math.max(handledBytes, bytes)).position(handledBytes);
            handle(rest, () -> session.resume(rest, socket.isTrusted()));
        } else if (session != null && session.hasBacklog()) {
            session.writable();
        }
    }

    private void resumeCopy() {
        batch.begin();
        try {
            session.resume(left, socket.isTrusted());
        } finally {
            batch.end();
            if (!left.hasRemaining()) {
                forgetCopy();
            }
        }
    }

    private void forgetCopy() {
        if (left != null) {
            Arrays.fill(left.array(), (byte) 0);
            left = null;
        }
    }

    private void receive(int bytes) throws OsException {
        if (session == null) {
            start(opening.open());
        }
        ByteBuffer message = ByteBuffer.wrap(datagram, 0, Math.min(bytes, datagram.length));
        handle(message, () -> {
            if (bytes <= datagram.length) {
                session.receive(message, socket.isTrusted());
            } else {
                session.refuse(message);
                message.position(message.limit());
            }
        });
    }

    private void handle(ByteBuffer message, Runnable step) throws OsException {
        batch.begin();
        try {
            step.run();
        } finally {
            batch.end();
            keep(message);
            // It may have held keys.
            Arrays.fill(datagram, 0, message.limit(), (byte) 0);
        }
    }

    private void keep(ByteBuffer message) throws OsException {
        if (taking == Taking.FIRST) {
            left = message.hasRemaining()
                    ? ByteBuffer.wrap(Arrays.copyOfRange(datagram, message.position(), message.limit()))
                    : null;
            return;
        }
        handledBytes = message.hasRemaining() ? message.position() : 0;
        if (handledBytes == 0) {
            socket.takePeeked();
        }
    }

    private int take() throws OsException {
        return taking == Taking.FIRST ? socket.receive(datagram) : socket.peek(datagram);
    }

    /** What an answered client may be about to send. */
    private int takeNext() throws OsException {
        int bytes = UnixConnection.NOTHING;
        int looks = !peer.privileged() ? 1 : socket.hasMailbox() ? MAILBOX_LOOKS : LOOKS;
        for (int look = 1; look <= looks && bytes == UnixConnection.NOTHING; look++) {
            if (look % LOOKS_PER_YIELD == 0) {
                Thread.yield();
            }
            socket.look();
            bytes = take();
        }
        return bytes;
    }

    /** Whether it did not talk before. */
    boolean startTalking() {
        boolean starts = !talking && socket.hasMailbox();
        talking |= starts;
        return starts;
    }

    /** Whether it is done with that, and no request is in the mailbox; nothing else is, either way. */
    boolean stopTalking() {
        talking = open && socket.rest() && !isBusy();
        return !talking;
    }

    /** Lets the client put a request into its mailbox. */
    void invite() {
        if (open && !isBusy()) {
            socket.invite();
        }
    }

    /** Whether there is a request in the mailbox that may be taken. */
    boolean isAsking() {
        return open && socket.isAsked() && !isBusy();
    }

    /** A client that stays is worth a mailbox; those that ask and go are many. */
    private void announce() {
        if (!listening && session != null && session.isListening()) {
            listening = true;
            LOG.info("{} {} listens", peer, protocol);
        }
    }

    /** What a client had sent before it went is done, as in a kernel: it is gone when all of that has been read. */
    @Override
    public boolean trySend(ByteBuffer message) {
        if (gone) {
            return true;
        }
        try {
            boolean sent = socket.send(message);
            busyMailboxes.note(this);
            return sent;
        } catch (OsException e) {
            // Or a message larger than a socket takes: no later attempt would do better.
            gone = e.errno() == OsException.EPIPE;
            return true;
        }
    }

    @Override
    public int unreadBytes() {
        return socket.unreadBytes();
    }

    @Override
    public boolean isOpen() {
        return open;
    }

    @Override
    public void close() {
        open = false;
        forgetCopy();
        if (session != null) {
            session.close();
        }
        socket.close();
        if (listening) {
            LOG.info("{} {} is gone", peer, protocol);
        }
    }
}
