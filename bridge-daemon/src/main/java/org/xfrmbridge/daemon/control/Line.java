package org.xfrmbridge.daemon.control;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Arrays;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.xfrmbridge.daemon.os.Box;
import org.xfrmbridge.daemon.os.Descriptor;
import org.xfrmbridge.daemon.os.Mailbox;
import org.xfrmbridge.daemon.os.OsException;
import org.xfrmbridge.daemon.os.UnixConnection;

/**
 * A client's socket, and the mailbox that it may have offered, as one: messages come and go in order whichever way they take. A message
 * takes the mailbox while its receiver looks there, and the socket in all other cases ({@code src/main/c/box.h}). Control thread only.
 */
final class Line implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Line.class);

    /**
     * Looks for a request before the socket is asked, too: about four microseconds. A request that comes just then would take the socket, and if
     * a client needs as long as the looks, each of its requests would.
     */
    private static final int LOOKS = 192;

    /** One answer at a time is taken back. */
    private static final byte[] ANSWER = new byte[Box.ROOM_BYTES];

    private final UnixConnection connection;
    private Mailbox mailbox;

    /** Whether something that was sent through the socket may not have been read. */
    private boolean unread = true;

    Line(UnixConnection connection) {
        this.connection = connection;
    }

    int fd() {
        return connection.fd();
    }

    /** Takes a message: {@link UnixConnection#receive(byte[])}. What is in the mailbox is older than all there is in the socket. */
    int receive(byte[] into) throws OsException {
        int bytes = mailbox != null && mailbox.requests().stop() ? mailbox.requests().take(into) : UnixConnection.NOTHING;
        if (bytes != UnixConnection.NOTHING) {
            return bytes;
        }
        bytes = connection.receiveWithDescriptor(into);
        Descriptor passed = connection.passed();
        if (passed != null) {
            open(passed);
        }
        return bytes;
    }

    /** Shows a message of the socket and leaves it there. A client for which this is done never has a mailbox. */
    int peek(byte[] into) throws OsException {
        return connection.peek(into);
    }

    void takePeeked(byte[] into) throws OsException {
        connection.receive(into);
    }

    /** A second one takes the place of the first, as after an exec() of the client. */
    private void open(Descriptor memory) {
        try (memory) {
            Mailbox opened = Mailbox.map(memory);
            if (mailbox != null) {
                mailbox.close();
            }
            mailbox = opened;
        } catch (IOException e) {
            LOG.debug("no mailbox: {}", e.getMessage());
        }
    }

    /** Lets the client put a request into the mailbox, until {@link #receive} or {@link #rest}. */
    void invite() {
        if (mailbox != null) {
            mailbox.requests().look();
        }
    }

    /** Whether a request is in the mailbox. */
    boolean isAsked() {
        return mailbox != null && mailbox.requests().isFull();
    }

    /** The same, and looks for a moment. */
    boolean look() {
        invite();
        return mailbox != null && mailbox.requests().isFull(LOOKS);
    }

    boolean hasMailbox() {
        return mailbox != null;
    }

    /** Before nobody looks any more: true if a request came meanwhile. An answer that was not received goes through the socket. */
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
        return connection.send(message.array(), offset, message.remaining()) != UnixConnection.NOTHING;
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
        int bytes = mailbox == null ? Box.NOTHING : mailbox.answers().takeBack(ANSWER);
        if (bytes == Box.NOTHING) {
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
        return connection.unreadBytes() + (mailbox != null && mailbox.answers().isFull() ? Box.ROOM_BYTES : 0);
    }

    @Override
    public void close() {
        if (mailbox != null) {
            mailbox.close();
        }
        connection.close();
    }
}
