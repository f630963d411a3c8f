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
import java.util.Comparator;
import java.util.List;

/**
 * What was asked and what came back: the files of {@code replay.c}, which explains their records.
 *
 * @param sequence what was sent
 * @param exchanges for each datagram of it what came back
 */
record Recording(Sequence sequence, List<Exchange> exchanges) {
    private static final int CAP_ACK = 1;
    private static final int EXT_ACK = 2;
    private static final int PF_KEY = 4;

    /** An event and who heard it: the sender's {@code nl_groups} in netlink, or one of the PF_KEY sockets below. */
    record Event(int groups, byte[] datagram) {
        private boolean isPfkey() {
            return groups >= PF_KEY_CLIENT;
        }

        private List<String> lines() {
            Protocol protocol = isPfkey() ? Protocol.PF_KEY : Protocol.NETLINK;
            return new Datagram(protocol, datagram)
                    .lines("! %s %d ".formatted(isPfkey() ? "socket" : "groups", groups));
        }
    }

    /** The client's PF_KEY socket while it asks through netlink. */
    static final int PF_KEY_CLIENT = 0x100;

    /** A PF_KEY socket that registered for ESP. */
    static final int PF_KEY_REGISTERED = 0x101;

    /** A PF_KEY socket that never said anything. */
    static final int PF_KEY_PLAIN = 0x102;

    /** @param replies what the asking socket received; four bytes are the errno of the call that sent the request */
    record Exchange(Datagram request, List<byte[]> replies, List<Event> events) {
        Exchange(Datagram request) {
            this(request, new ArrayList<>(), new ArrayList<>());
        }

        /**
         * All that came back, PF_KEY's events behind netlink's; those of timers in no order, for they were due at once.
         */
        List<String> answerLines() {
            List<String> lines = new ArrayList<>();
            replies.forEach(reply -> lines.addAll(new Datagram(request.protocol(), reply).lines("< ")));
            events.stream().filter(event -> !event.isPfkey()).forEach(event -> lines.addAll(event.lines()));
            if (request.protocol() == Protocol.PAUSE) {
                lines.sort(Comparator.naturalOrder());
            }
            events.stream()
                    .filter(Event::isPfkey)
                    .sorted(Comparator.comparingInt(Event::groups))
                    .forEach(event -> lines.addAll(event.lines()));
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
                for (Datagram datagram : sequence.datagrams()) {
                    write(out, datagram.protocol().mark, datagram.bytes());
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
                write(out, exchange.request.protocol().mark, exchange.request.bytes());
                for (byte[] reply : exchange.replies) {
                    write(out, '<', reply);
                }
                for (Event event : exchange.events) {
                    write(
                            out,
                            '!',
                            Draft.struct(
                                    4 + event.datagram.length,
                                    in -> in.putInt(event.groups).put(event.datagram)));
                }
            }
        }
        write(out, '.', new byte[0]);
        out.flush();
    }

    private static byte[] head(Sequence sequence) {
        int options = (sequence.capAck() ? CAP_ACK : 0)
                | (sequence.extAck() ? EXT_ACK : 0)
                | (sequence.uses(Protocol.PF_KEY) ? PF_KEY : 0);
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
                case '>' -> recordings.getLast().add(Datagram.netlink(bytes));
                case 'k' -> recordings.getLast().add(Datagram.pfkey(bytes));
                case 'w' -> recordings.getLast().add(new Datagram(Protocol.PAUSE, bytes));
                case '<' -> recordings.getLast().exchanges.getLast().replies.add(bytes);
                case '!' ->
                    recordings
                            .getLast()
                            .exchanges
                            .getLast()
                            .events
                            .add(new Event(view(bytes).getInt(0), Arrays.copyOfRange(bytes, 4, bytes.length)));
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
                new Sequence(view(head).getInt(0), capAck, (options & EXT_ACK) != 0, new ArrayList<>()),
                new ArrayList<>());
    }

    private void add(Datagram request) {
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
