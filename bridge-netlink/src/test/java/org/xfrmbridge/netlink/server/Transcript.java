package org.xfrmbridge.netlink.server;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;

/**
 * What a kernel answered to a client, recorded: a text file with a line per datagram, in hexadecimal. {@code #} begins
 * an exchange and names it, {@code >} is what the client at port 4711 sent, {@code <} what it received, {@code !} what
 * a member of all groups received meanwhile.
 */
record Transcript(List<Exchange> exchanges) {
    static final int PORT_ID = 4711;

    record Exchange(String name, List<byte[]> requests, List<byte[]> replies, List<byte[]> events) {
        Exchange(String name) {
            this(name, new ArrayList<>(), new ArrayList<>(), new ArrayList<>());
        }
    }

    static Transcript load(String resource) {
        List<Exchange> exchanges = new ArrayList<>();
        for (String line : text(resource).lines().toList()) {
            if (line.startsWith("# ")) {
                exchanges.add(new Exchange(line.substring(2)));
            } else if (!line.isBlank() && !line.startsWith("//")) {
                Exchange last = exchanges.getLast();
                List<byte[]> list = switch (line.charAt(0)) {
                    case '>' -> last.requests();
                    case '<' -> last.replies();
                    case '!' -> last.events();
                    default -> throw new IllegalArgumentException(line);
                };
                list.add(HexFormat.of().parseHex(line.substring(2)));
            }
        }
        return new Transcript(exchanges);
    }

    private static String text(String resource) {
        try (InputStream in = Transcript.class.getResourceAsStream("/transcripts/" + resource)) {
            return new String(in.readAllBytes(), StandardCharsets.US_ASCII);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
