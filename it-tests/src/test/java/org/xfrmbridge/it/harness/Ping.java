package org.xfrmbridge.it.harness;

import java.time.Duration;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.xfrmbridge.lab.Command;
import org.xfrmbridge.lab.Daemon;
import org.xfrmbridge.lab.Gateway;
import org.xfrmbridge.lab.Namespace;
import org.xfrmbridge.lab.Side;
import org.xfrmbridge.lab.Topology;

/**
 * ICMP echo between two inner addresses: what is sent, answered, and lost. By {@code fping}, as {@code ping} waits for
 * the last answers no longer than for two of the ones before: on a busy machine late ones would count as lost.
 */
public final class Ping {
    private static final Pattern SUMMARY = Pattern.compile("xmt/rcv/%loss = (\\d+)/(\\d+)/");
    private static final Pattern DUPLICATE = Pattern.compile(" : duplicate for \\[");
    private static final int ANSWER_PATIENCE_MS = 5_000;
    private static final Duration PATIENCE = Duration.ofSeconds(15);

    private final Namespace from;
    private final String source;
    private final String destination;
    private int payloadBytes = 56;

    public Ping(Namespace from, String source, String destination) {
        this.from = from;
        this.source = source;
        this.destination = destination;
    }

    /** From the inner address of one side to the inner address of the other. */
    public static Ping inner(Topology topology, Side from, Gateway.Family family) {
        Gateway site = topology.site(from);
        return new Ping(
                site.client(),
                site.inner().of(family),
                topology.site(from.other()).inner().of(family));
    }

    /** From the outer address of one side to the outer address of the other: what transport mode protects. */
    public static Ping outer(Topology topology, Side from, Gateway.Family family) {
        Gateway site = topology.site(from);
        return new Ping(
                site.host(),
                site.outer().of(family),
                topology.site(from.other()).outer().of(family));
    }

    public Ping payloadBytes(int bytes) {
        payloadBytes = bytes;
        return this;
    }

    /** Sends {@code count} requests, one every {@code intervalMs}, and waits for the answers. */
    public Score send(int count, int intervalMs) {
        return Score.parse(command(count, intervalMs)
                .within(Duration.ofMillis((long) count * intervalMs).plus(PATIENCE))
                .result()
                .output());
    }

    /** Five quick ones: does it work at all. */
    public Score send() {
        return send(5, 50);
    }

    /** The same beside the scenario; {@link Daemon#finish} and {@link Score#parse} give the result. */
    public Daemon start(Scene scene, int count, int intervalMs) {
        String name = scene.uniqueName();
        return scene.own(from.start("ping", scene.file("ping-" + name + ".log"), command(count, intervalMs)));
    }

    private Command command(int count, int intervalMs) {
        return from.command(
                // Each answer is in the log when it has come.
                "stdbuf",
                "-oL",
                "fping",
                "-t",
                Integer.toString(ANSWER_PATIENCE_MS),
                "-b",
                Integer.toString(payloadBytes),
                "-p",
                Integer.toString(intervalMs),
                "-c",
                Integer.toString(count),
                "-S",
                source,
                destination);
    }

    /** What fping says. */
    public record Score(int sent, int received, int duplicates, String output) {
        public static Score parse(String output) {
            Matcher summary = SUMMARY.matcher(output);
            if (!summary.find()) {
                throw new AssertionError("fping printed no summary\n" + output);
            }
            int duplicates = (int) DUPLICATE.matcher(output).results().count();
            return new Score(
                    Integer.parseInt(summary.group(1)), Integer.parseInt(summary.group(2)), duplicates, output);
        }

        public int lost() {
            return sent - received;
        }

        /** Throws unless every request was answered exactly once. */
        public void assertComplete() {
            if (lost() != 0 || duplicates != 0 || sent == 0) {
                throw new AssertionError("of " + sent + " requests " + lost() + " were lost, " + duplicates
                        + " answered twice\n" + tail());
            }
        }

        private String tail() {
            return output.length() < 2000 ? output : output.substring(output.length() - 2000);
        }
    }
}
