package org.xfrmbridge.it.conformance;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;

/** What unmodified clients of PF_KEY sent; the head of the resource says which and how it was recorded. */
final class PfkeyClients {
    private static final String RESOURCE = "pfkey-clients.requests";

    private PfkeyClients() {}

    /** One sequence for each client, with negative numbers, which no generated one has. */
    static List<Sequence> sequences() {
        List<Sequence> sequences = new ArrayList<>();
        for (String client : text().split("\n\n")) {
            List<Datagram> datagrams = client.lines().filter(line -> !line.startsWith("#"))
                    .map(line -> Datagram.pfkey(HexFormat.of().parseHex(line))).toList();
            sequences.add(new Sequence(-1 - sequences.size(), true, false, datagrams));
        }
        return sequences;
    }

    private static String text() {
        try (InputStream in = PfkeyClients.class.getResourceAsStream(RESOURCE)) {
            return new String(in.readAllBytes(), StandardCharsets.US_ASCII);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
