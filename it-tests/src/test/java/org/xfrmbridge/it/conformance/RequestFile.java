package org.xfrmbridge.it.conformance;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;

/** Sequences that were not generated; the head of each resource says where they come from. */
enum RequestFile {
    /** What unmodified clients of PF_KEY sent. */
    PFKEY_CLIENTS("pfkey-clients.requests", Protocol.PF_KEY),

    /** The smallest requests that once told the bridge from a kernel. */
    CASES("cases.requests", Protocol.NETLINK);

    private static final String PAUSE = "pause ";

    private final String resource;
    private final Protocol protocol;

    RequestFile(String resource, Protocol protocol) {
        this.resource = resource;
        this.protocol = protocol;
    }

    /** With negative numbers, which no generated one has. */
    List<Sequence> sequences() {
        List<Sequence> sequences = new ArrayList<>();
        for (String part : text().split("\n\n")) {
            List<Datagram> datagrams = part.lines()
                    .filter(line -> !line.startsWith("#"))
                    .map(this::datagram)
                    .toList();
            sequences.add(new Sequence(-1 - sequences.size(), true, false, datagrams));
        }
        return sequences;
    }

    private Datagram datagram(String line) {
        return line.startsWith(PAUSE)
                ? Datagram.pause(Integer.parseInt(line.substring(PAUSE.length())))
                : new Datagram(protocol, HexFormat.of().parseHex(line));
    }

    private String text() {
        try (InputStream in = RequestFile.class.getResourceAsStream(resource)) {
            return new String(in.readAllBytes(), StandardCharsets.US_ASCII);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
