package org.xfrmbridge.daemon.control;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import org.xfrmbridge.daemon.os.OsException;
import org.xfrmbridge.daemon.os.PollSet;
import org.xfrmbridge.daemon.os.UnixConnection;

/** A client of control.sock: cuts what it sends into lines and keeps what it has not read yet. One thread. */
final class TextChannel implements Channel {
    /** docs/preload-protocol.md: a line has at most 8400 characters. */
    private static final int MAX_LINE_BYTES = 8400;

    /**
     * Read in one turn, and sent at once. Answers that wait for a client that does not read are that of one turn: no
     * more is read meanwhile.
     */
    private static final int TURN_BYTES = 1 << 14;

    /** Room that one client's statistics need, and not much more. */
    private static final int MOST_ANSWER_BYTES = 1 << 16;

    /** The same for who is shown the figures of SAs and policies. */
    private static final int MOST_ANSWER_BYTES_OF_PRIVILEGED = 1 << 20;

    /** What a line means. */
    interface Conversation {
        /**
         * One line, without its newline; the answer is text to send, null for none.
         *
         * @param trusted whether all who sent a part of it may change anything
         */
        String line(String line, boolean trusted);

        /** The client is gone. @param rest its last, unended line; null if there was none */
        void end(String rest, boolean trusted);

        /** Whether the bridge ends the connection once the answer is sent. */
        boolean isOver();
    }

    private final UnixConnection connection;
    private final Peer peer;
    private final Conversation conversation;
    private final ByteArrayOutputStream input = new ByteArrayOutputStream();
    private byte[] output = {};
    private int sent;
    private boolean trusted;
    private boolean open = true;

    TextChannel(UnixConnection connection, Peer peer, Conversation conversation) {
        this.connection = connection;
        this.peer = peer;
        this.trusted = peer.privileged();
        this.conversation = conversation;
    }

    @Override
    public int fd() {
        return connection.fd();
    }

    @Override
    public int interest() {
        return sent < output.length ? PollSet.WRITE : PollSet.READ;
    }

    @Override
    public void ready() {
        try {
            if (!flush()) {
                return;
            }
            byte[] bytes = new byte[TURN_BYTES];
            int length = receive(bytes);
            if (length == UnixConnection.NOTHING) {
                return;
            }
            if (length == 0) {
                open = false;
                return;
            }
            take(Arrays.copyOf(bytes, length));
            if (flush() && conversation.isOver()) {
                open = false;
            }
        } catch (OsException e) {
            open = false;
        }
    }

    /** What comes in one call is from one sender. */
    private int receive(byte[] bytes) throws OsException {
        if (!peer.privileged()) {
            return connection.receive(bytes);
        }
        int length = connection.receiveWithSender(bytes);
        boolean isFromTrusted = length <= 0 || peer.trusts(connection.senderUid(), connection.senderGid());
        trusted = isFromTrusted && (trusted || input.size() == 0);
        return length;
    }

    private void take(byte[] bytes) {
        StringBuilder answers = new StringBuilder();
        for (byte next : bytes) {
            if (next != '\n') {
                input.write(next);
            } else {
                String answer = conversation.isOver()
                        ? null
                        : conversation.line(input.toString(StandardCharsets.UTF_8), trusted);
                answers.append(answer == null ? "" : answer);
                input.reset();
            }
        }
        // Neither an endless line nor answers without end can make the bridge hold more than it was sent.
        int most = peer.privileged() ? MOST_ANSWER_BYTES_OF_PRIVILEGED : MOST_ANSWER_BYTES;
        open = input.size() <= MAX_LINE_BYTES && answers.length() <= most + bytes.length * 16;
        output = answers.toString().getBytes(StandardCharsets.UTF_8);
        sent = 0;
    }

    private boolean flush() throws OsException {
        while (sent < output.length) {
            int taken = connection.send(output, sent, Math.min(output.length - sent, TURN_BYTES));
            if (taken == UnixConnection.NOTHING) {
                return false;
            }
            sent += taken;
        }
        if (conversation.isOver()) {
            open = false;
        }
        return open;
    }

    @Override
    public boolean isOpen() {
        return open;
    }

    @Override
    public void close() {
        open = false;
        conversation.end(input.size() == 0 ? null : input.toString(StandardCharsets.UTF_8), trusted);
        connection.close();
    }
}
