package org.xfrmbridge.it.conformance;

import java.io.BufferedInputStream;
import java.io.BufferedOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.xfrmbridge.netlink.text.MessageText;

/**
 * What was asked and what came back: the files of {@code replay.c}, which explains their records.
 *
 * @param sequence what was sent
 * @param exchanges for each datagram of it what came back
 */
record Recording(Sequence sequence, List<Exchange> exchanges) {
    private static final int CAP_ACK = 1;
    private static final int EXT_ACK = 2;

    /** An event and the group it was sent to. */
    record Event(int group, byte[] datagram) {}

    record Exchange(byte[] request, List<byte[]> replies, List<Event> events) {
        Exchange(byte[] request) {
            this(request, new ArrayList<>(), new ArrayList<>());
        }

        /** All that came back. */
        List<String> answerLines() {
            List<String> lines = new ArrayList<>();
            replies.forEach(reply -> lines.addAll(MessageText.render("< ", reply)));
            events.forEach(event -> lines.addAll(MessageText.render("! group " + event.group() + " ", event.datagram())));
            return lines;
        }
    }

    /** Writes the script that sends these sequences. */
    static void writeScript(Path file, List<Sequence> sequences) throws IOException {
        try (DataOutputStream out = new DataOutputStream(new BufferedOutputStream(Files.newOutputStream(file)))) {
            for (Sequence sequence : sequences) {
                for (byte[] datagram : Sequence.RESET) {
                    write(out, 'r', datagram);
                }
                write(out, 'S', head(sequence));
                for (byte[] datagram : sequence.datagrams()) {
                    write(out, '>', datagram);
                }
            }
        }
    }

    /** Writes what {@link #read} reads. */
    static void write(OutputStream file, List<Recording> recordings) throws IOException {
        DataOutputStream out = new DataOutputStream(file);
        for (Recording recording : recordings) {
            write(out, 'S', head(recording.sequence));
            for (Exchange exchange : recording.exchanges) {
                write(out, '>', exchange.request);
                for (byte[] reply : exchange.replies) {
                    write(out, '<', reply);
                }
                for (Event event : exchange.events) {
                    write(out, '!', Draft.struct(4 + event.datagram.length, in -> in.putInt(event.group).put(event.datagram)));
                }
            }
        }
        write(out, '.', new byte[0]);
        out.flush();
    }

    private static byte[] head(Sequence sequence) {
        int options = (sequence.capAck() ? CAP_ACK : 0) | (sequence.extAck() ? EXT_ACK : 0);
        return Draft.struct(8, out -> out.putInt(sequence.number()).putInt(options));
    }

    private static void write(DataOutputStream out, char kind, byte[] bytes) throws IOException {
        out.write(kind);
        out.writeInt(swap(bytes.length));
        out.write(bytes);
    }

    /** Reads a recording up to its end mark; throws if there is none. */
    static List<Recording> read(InputStream file) throws IOException {
        DataInputStream in = new DataInputStream(new BufferedInputStream(file, 1 << 16));
        List<Recording> recordings = new ArrayList<>();
        while (true) {
            int kind = in.read();
            if (kind < 0) {
                throw new EOFException("the recording has no end");
            }
            byte[] bytes = in.readNBytes(swap(in.readInt()));
            switch (kind) {
                case 'S' -> recordings.add(begin(bytes));
                case '>' -> recordings.getLast().add(bytes);
                case '<' -> recordings.getLast().exchanges.getLast().replies.add(bytes);
                case '!' -> recordings.getLast().exchanges.getLast().events.add(
                        new Event(view(bytes).getInt(0), Arrays.copyOfRange(bytes, 4, bytes.length)));
                case '.' -> {
                    return recordings;
                }
                default -> throw new IOException("a record of unknown kind " + kind);
            }
        }
    }

    private static Recording begin(byte[] head) {
        int options = view(head).getInt(4);
        boolean capAck = (options & CAP_ACK) != 0;
        return new Recording(
                new Sequence(view(head).getInt(0), capAck, (options & EXT_ACK) != 0, new ArrayList<>()), new ArrayList<>());
    }

    private void add(byte[] request) {
        sequence.datagrams().add(request);
        exchanges.add(new Exchange(request));
    }

    private static ByteBuffer view(byte[] bytes) {
        return ByteBuffer.wrap(bytes).order(ByteOrder.nativeOrder());
    }

    private static int swap(int value) {
        return ByteOrder.nativeOrder() == ByteOrder.BIG_ENDIAN ? value : Integer.reverseBytes(value);
    }
}
