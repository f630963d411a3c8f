package org.xfrmbridge.it.failover;

import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.xfrmbridge.it.harness.Requirement;
import org.xfrmbridge.lab.BridgeProcess;
import org.xfrmbridge.lab.Namespace;

/**
 * A member of a cluster, or its peer: a host, its bridge, and what it does with SAs.
 *
 * @param script {@code sa.py}
 */
record Node(Namespace host, BridgeProcess bridge, String script) {
    private static final Pattern COUNTS =
            Pattern.compile("lifetime current:\\s+\\d+\\(bytes\\), (\\d+)\\(packets\\)\\s+"
                    + "add (\\S+ \\S+) .*\\R\\s+stats:\\s+replay-window (\\d+) replay (\\d+) failed (\\d+)");

    /**
     * What an SA has counted.
     *
     * @param packets that it let pass
     * @param added when it was made, in words
     * @param refused packets that came again, or too late; with ESN the latter look forged
     */
    record Counts(long packets, String added, long refused) {}

    /** Commands of {@code ip xfrm}, one a line. */
    void xfrm(String commands) {
        bridge.run(
                "sh",
                "-e",
                "-c",
                commands.lines().map(line -> "ip xfrm " + line + "\n").reduce("", String::concat));
    }

    /** All there is to know of an SA, as {@link #install} and {@link #advance} read it. */
    String get(String destination, String spi) {
        return bridge.run(Requirement.PYTHON, script, "get", destination, spi);
    }

    /** Makes such an SA. */
    void install(String sa) {
        feed("install", sa);
    }

    /** Brings the windows and counts of an SA up to date. */
    void advance(String sa) {
        feed("advance", sa);
    }

    private void feed(String verb, String sa) {
        bridge.run("sh", "-c", "printf %s \"$3\" | \"$0\" \"$1\" \"$2\"", Requirement.PYTHON, script, verb, sa);
    }

    Counts counts(String source, String destination, String spi) {
        String text = bridge.run(
                "ip", "-s", "xfrm", "state", "get", "src", source, "dst", destination, "proto", "esp", "spi", spi);
        Matcher counts = COUNTS.matcher(text);
        if (!counts.find()) {
            throw new AssertionError("no counts in\n" + text);
        }
        long refused =
                Long.parseLong(counts.group(3)) + Long.parseLong(counts.group(4)) + Long.parseLong(counts.group(5));
        return new Counts(Long.parseLong(counts.group(1)), counts.group(2), refused);
    }
}
