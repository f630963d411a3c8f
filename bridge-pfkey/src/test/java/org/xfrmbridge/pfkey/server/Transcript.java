package org.xfrmbridge.pfkey.server;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * What a kernel's PF_KEY sockets were sent and answered, as {@code record.py} prints it. {@code #} begins an exchange
 * and names it. {@code >} is what a socket sent, {@code =} the error of that call, {@code <} what a socket received
 * then; datagrams are hexadecimal. {@code @} is something else that was done: {@code open}, {@code close} (a socket),
 * {@code wait} (seconds), {@code packet} (one, to an address).
 */
record Transcript(List<Exchange> exchanges) {
    /** @param sent null if nothing was. @param received by socket */
    record Exchange(String name, List<String> acts, Sent sent, Map<String, List<byte[]>> received) {}

    /** @param refusal errno of the call, 0 if it succeeded */
    record Sent(String socket, byte[] datagram, int refusal) {}

    static Transcript load(String resource) {
        List<Exchange> exchanges = new ArrayList<>();
        for (String line :
                text(resource).lines().filter(line -> !line.startsWith("//")).toList()) {
            if (line.startsWith("# ")) {
                exchanges.add(new Exchange(line.substring(2), new ArrayList<>(), null, new LinkedHashMap<>()));
            } else {
                exchanges.set(exchanges.size() - 1, with(exchanges.getLast(), line.split(" ", 2)));
            }
        }
        return new Transcript(exchanges);
    }

    private static Exchange with(Exchange last, String[] line) {
        String[] parts = line[1].split(" ");
        switch (line[0]) {
            case "@" -> last.acts().add(line[1]);
            case "<" ->
                last.received()
                        .computeIfAbsent(parts[0], name -> new ArrayList<>())
                        .add(HexFormat.of().parseHex(parts[1]));
            case ">" -> {
                return with(last, new Sent(parts[0], HexFormat.of().parseHex(parts[1]), 0));
            }
            case "=" -> {
                return with(last, new Sent(last.sent().socket(), last.sent().datagram(), Integer.parseInt(parts[0])));
            }
            default -> throw new IllegalArgumentException(String.join(" ", line));
        }
        return last;
    }

    private static Exchange with(Exchange last, Sent sent) {
        return new Exchange(last.name(), last.acts(), sent, last.received());
    }

    private static String text(String resource) {
        try (InputStream in = Transcript.class.getResourceAsStream("/transcripts/" + resource)) {
            return new String(in.readAllBytes(), StandardCharsets.US_ASCII);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
