package org.xfrmbridge.daemon.control;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.xfrmbridge.daemon.os.Descriptor;
import org.xfrmbridge.daemon.os.Mailbox;
import org.xfrmbridge.daemon.os.MailboxSlot;
import org.xfrmbridge.daemon.os.OsException;
import org.xfrmbridge.daemon.os.UnixConnection;
import org.xfrmbridge.io.ControlFrame;
import org.xfrmbridge.io.MessageQueue;

/**
 * A client's socket, and the mailbox that it may have offered, as one: messages come and go in order whichever way they
 * take. A message takes the mailbox while its receiver looks there, and the socket in all other cases
 * ({@code src/main/c/box.h}).
 *
 * <p>Memory has no credentials. The mailbox belongs to the process that offered it, which had the right to ask (a child
 * of fork() does not inherit it), and is looked into for no longer than {@link #LEASE_NS} after a message that came
 * through the socket from who still had: then the next one comes that way, too. One message there from who has not ends
 * the mailbox. One thread.
 */
final class MailboxSocket implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(MailboxSocket.class);

    /**
     * Looks for a request before the socket is asked, too: about four microseconds. A request that comes just then
     * would take the socket, and if a client needs as long as the looks, each of its requests would.
     */
    private static final int LOOKS = 192;

    /** One request in some thousands costs a few microseconds more. */
    private static final long LEASE_NS = TimeUnit.MILLISECONDS.toNanos(10);

    /**
     * Twice that is unread before a client is not served further: no less than events may take,
     * {@link MessageQueue#MAX_BUFFER_BYTES}.
     */
    private static final int PRIVILEGED_BUFFER_BYTES = 8 << 20;

    private static final byte[] NO_ROOM = {};

    /** One answer at a time is taken back. */
    private static final byte[] ANSWER = new byte[MailboxSlot.ROOM_BYTES];

    private final UnixConnection connection;
    private final Peer peer;
    private Mailbox mailbox;
    private long leaseEndNs;
    private boolean trusted;
    private boolean grown;

    /** Whether something that was sent through the socket may not have been read. */
    private boolean unread = true;

    MailboxSocket(UnixConnection connection, Peer peer) {
        this.connection = connection;
        this.peer = peer;
        this.trusted = peer.privileged();
    }

    int fd() {
        return connection.fd();
    }

    /**
     * Takes a message: {@link UnixConnection#receive(byte[])}. What is in the mailbox is older than all there is in the
     * socket.
     */
    int receive(byte[] into) throws OsException {
        int bytes = mailbox != null && mailbox.requests().stop()
                ? mailbox.requests().take(into)
                : UnixConnection.NOTHING;
        if (bytes != UnixConnection.NOTHING) {
            return bytes;
        }
        bytes = connection.receiveWithSender(into);
        if (bytes > 0) {
            trusted = peer.trusts(connection.senderUid(), connection.senderGid());
            leaseEndNs = System.nanoTime() + LEASE_NS;
            if (!trusted) {
                closeMailbox();
            }
        }
        try (Descriptor passed = connection.passed()) {
            if (passed != null && trusted && isOffer(into, bytes)) {
                open(passed);
            }
        }
        return bytes;
    }

    private static boolean isOffer(byte[] message, int bytes) {
        if (bytes != ControlFrame.BYTES) {
            return false;
        }
        ByteBuffer frame = ByteBuffer.wrap(message, 0, bytes);
        return ControlFrame.isControl(frame) && ControlFrame.read(frame).op() == ControlFrame.MAILBOX;
    }

    /** Whether who sent the last message may ask for what the client may. */
    boolean isTrusted() {
        return trusted;
    }

    /** Shows a message of the socket and leaves it there. A client for which this is done never has a mailbox. */
    int peek(byte[] into) throws OsException {
        return connection.peek(into);
    }

    void takePeeked() throws OsException {
        connection.receive(NO_ROOM);
    }

    /** A second one takes the place of the first, as after an exec() of the client. */
    private void open(Descriptor memory) {
        try {
            Mailbox opened = Mailbox.map(memory);
            closeMailbox();
            mailbox = opened;
        } catch (IOException e) {
            LOG.debug("no mailbox: {}", e.getMessage());
        }
    }

    private void closeMailbox() {
        if (mailbox != null) {
            takeBack();
            mailbox.close();
            mailbox = null;
        }
    }

    /**
     * Lets the client put a request into the mailbox, until {@link #receive} or {@link #rest}; false if it has none, or
     * may not.
     */
    boolean invite() {
        return mailbox != null && mailbox.requests().look(leaseEndNs);
    }

    /** Whether a request is in the mailbox. */
    boolean isAsked() {
        return mailbox != null && mailbox.requests().isFull();
    }

    /** The same, and looks for a moment. */
    boolean look() {
        return invite() && mailbox.requests().isFull(LOOKS);
    }

    boolean hasMailbox() {
        return mailbox != null;
    }

    /**
     * Before nobody looks any more: true if a request came meanwhile. An answer that was not received goes through the
     * socket.
     */
    boolean rest() {
        if (mailbox == null) {
            return false;
        }
        takeBack();
        return mailbox.requests().stop();
    }

    /** Sends a message, whole or not at all: false if the client has too much unread. */
    boolean send(ByteBuffer message) throws OsException {
        int offset = message.arrayOffset() + message.position();
        if (mailbox != null && isLookedAt() && mailbox.answers().put(message.array(), offset, message.remaining())) {
            return true;
        }
        takeBack();
        unread = true;
        return sendInSocket(message.array(), offset, message.remaining());
    }

    /**
     * Most clients read what they asked for, and never need more room than every socket has; strangers never get more.
     */
    private boolean sendInSocket(byte[] message, int offset, int bytes) throws OsException {
        boolean mayGrow = peer.privileged() && !grown;
        try {
            if (connection.send(message, offset, bytes) != UnixConnection.NOTHING) {
                return true;
            }
        } catch (OsException e) {
            if (!mayGrow || e.errno() != OsException.EMSGSIZE) {
                throw e;
            }
        }
        if (!mayGrow) {
            return false;
        }
        grown = true;
        connection.setSendBuffer(PRIVILEGED_BUFFER_BYTES);
        return sendInSocket(message, offset, bytes);
    }

    private boolean isLookedAt() {
        if (mailbox.answers().isLookedAt()) {
            unread = unread && connection.unreadBytes() > 0;
            return !unread;
        }
        return false;
    }

    /** It was put in when the socket was empty: there is room for it. */
    private void takeBack() {
        int bytes = mailbox == null ? MailboxSlot.NOTHING : mailbox.answers().takeBack(ANSWER);
        if (bytes == MailboxSlot.NOTHING) {
            return;
        }
        try {
            unread = true;
            connection.send(ANSWER, 0, bytes);
        } catch (OsException e) {
            LOG.debug("gone before its answer: {}", e.getMessage());
        }
        Arrays.fill(ANSWER, 0, bytes, (byte) 0);
    }

    /** What the client has not read: {@link UnixConnection#unreadBytes}. */
    int unreadBytes() {
        return connection.unreadBytes() + (mailbox != null && mailbox.answers().isFull() ? MailboxSlot.ROOM_BYTES : 0);
    }

    @Override
    public void close() {
        if (mailbox != null) {
            mailbox.close();
        }
        mailbox = null;
        connection.close();
    }
}
