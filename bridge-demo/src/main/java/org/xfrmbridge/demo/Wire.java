package org.xfrmbridge.demo;

import java.net.InetAddress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.StringJoiner;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.xfrmbridge.lab.BridgeProcess;
import org.xfrmbridge.lab.Daemon;
import org.xfrmbridge.lab.LabException;
import org.xfrmbridge.lab.Topology;

/** A sniffer on the wire, outside of both hosts, and the judgement of what it saw. */
final class Wire {
    private static final Duration START_LIMIT = Duration.ofSeconds(30);
    private static final Duration END_LIMIT = Duration.ofSeconds(30);
    /** Lines of each kind to show. */
    private static final Map<FrameLine.Kind, Integer> SHOWN = Map.of(FrameLine.Kind.IKE, 4, FrameLine.Kind.ESP, 6);

    private static final Pattern LINE = Pattern.compile("(?m)^([0-9.]+) ([A-Z]+) (.*)$");

    private final Daemon sniffer;
    private final String log;

    private Wire(Daemon sniffer, String log) {
        this.sniffer = sniffer;
        this.log = log;
    }

    /**
     * Starts listening.
     *
     * @param secret bytes in hex that only the two hosts may see
     */
    static Wire listen(DemoLab lab, String secret) {
        List<String> line = new ArrayList<>(
                List.of(BridgeProcess.program().toString(), "demo", "sniff", Topology.LEFT_PORT, "--never", secret));
        for (DemoHost host : lab.hosts()) {
            for (String address : host.inner()) {
                byte[] bytes = InetAddress.ofLiteral(address).getAddress();
                line.addAll(List.of("--never", HexFormat.of().formatHex(bytes)));
            }
        }
        String log = "wire.log";
        Daemon sniffer = lab.start("the sniffer", log, lab.wire().command(line).withOpenInput());
        sniffer.awaitOutput(SniffCommand.LISTENING, START_LIMIT);
        return new Wire(sniffer, log);
    }

    /**
     * Ends listening, shows the most telling frames, and throws if one could be read by others, or too few were
     * protected.
     */
    void judge(Screen screen, int expected) {
        judge(sniffer.finish(END_LIMIT), screen, expected);
        if (!sniffer.succeeded()) {
            throw new LabException("the sniffer failed, see " + log);
        }
    }

    static void judge(String seen, Screen screen, int expected) {
        Map<FrameLine.Kind, Integer> counts = new EnumMap<>(FrameLine.Kind.class);
        for (Matcher line = LINE.matcher(seen); line.find(); ) {
            String text = line.group(3);
            if (line.group(2).equals(SniffCommand.SECRET) || line.group(2).equals(FrameLine.Kind.CLEAR.name())) {
                throw new LabException("a frame on the wire could be read by everybody: " + text);
            }
            FrameLine.Kind kind = FrameLine.Kind.valueOf(line.group(2));
            if (counts.merge(kind, 1, Integer::sum) <= SHOWN.getOrDefault(kind, 0)) {
                screen.quote("%8.3f s  %s".formatted(Double.parseDouble(line.group(1)), text));
            }
        }
        int protectedFrames = counts.getOrDefault(FrameLine.Kind.ESP, 0);
        if (protectedFrames < expected) {
            throw new LabException(
                    "the sniffer saw only %d of at least %d ESP packets".formatted(protectedFrames, expected));
        }
        screen.held(summary(counts));
    }

    private static String summary(Map<FrameLine.Kind, Integer> counts) {
        StringJoiner others = new StringJoiner(", ");
        counts.forEach((kind, count) -> {
            if (kind != FrameLine.Kind.ESP) {
                others.add(count + " " + name(kind));
            }
        });
        String besides = others.length() == 0 ? "" : " (besides: " + others + ")";
        return "%d ESP packets%s; no inner address, no text of the pings"
                .formatted(counts.get(FrameLine.Kind.ESP), besides);
    }

    private static String name(FrameLine.Kind kind) {
        return switch (kind) {
            case NEIGHBOUR -> "ARP and neighbour discovery";
            case IKE, ESP -> kind.name();
            case OTHER -> "not IP";
            case CLEAR -> "in the clear";
        };
    }
}
