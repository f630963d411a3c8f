package org.xfrmbridge.daemon.control;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import org.xfrmbridge.daemon.os.OsException;
import org.xfrmbridge.daemon.os.PollSet;
import org.xfrmbridge.daemon.os.UnixConnection;

/** A client of control.sock: cuts what it sends into lines and keeps what it has not read yet. Control thread only. */
final class TextChannel implements Channel {
    /** docs/preload-protocol.md: a line has at most 8400 characters. */
    private static final int MAX_LINE_BYTES = 8400;

    /** Answers that may wait for a client that does not read; requests are not read meanwhile. */
    private static final int TURN_BYTES = 1 << 16;

    /** What a line means. */
    interface Conversation {
        /** One line, without its newline; the answer is text to send, null for none. */
        String line(String line);

        /** The client is gone. @param rest its last, unended line; null if there was none */
        void end(String rest);

        /** Whether the bridge ends the connection once the answer is sent. */
        boolean isOver();
    }

    private final UnixConnection connection;
    private final Conversation conversation;
    private final ByteArrayOutputStream input = new ByteArrayOutputStream();
    private byte[] output = {};
    private int sent;
    private boolean open = true;

    TextChannel(UnixConnection connection, Conversation conversation) {
        this.connection = connection;
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
            int length = connection.receive(bytes);
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

    private void take(byte[] bytes) {
        StringBuilder answers = new StringBuilder();
        for (byte next : bytes) {
            if (next != '\n') {
                input.write(next);
            } else {
                String answer = conversation.isOver() ? null : conversation.line(input.toString(StandardCharsets.UTF_8));
                answers.append(answer == null ? "" : answer);
                input.reset();
            }
        }
        // Neither an endless line nor answers without end can make the bridge hold more than it was sent.
        open = input.size() <= MAX_LINE_BYTES && answers.length() <= TURN_BYTES + bytes.length * 16;
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
        conversation.end(input.size() == 0 ? null : input.toString(StandardCharsets.UTF_8));
        connection.close();
    }
}
