package org.xfrmbridge.bench;

import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.List;
import javax.management.JMException;
import javax.management.ObjectName;
import org.HdrHistogram.Histogram;
import org.xfrmbridge.bench.Traffic.Timed;

/**
 * The tables that stress programs print: one of changes, one of packets, a line per number of entries. {@code plot.py}
 * reads them again.
 */
final class Report {
    private static final String CHANGES = "%-8s %-22s %9s %9s %9s %9s %9s %11s %9s %9s%n";
    private static final String LOOKUPS = "%-8s %-22s %9s %-8s %8s %8s %8s %10s %8s %8s %8s %10s%n";
    private static final String PACKETS = "%-8s %-22s %9s %-8s %8s %8s %8s %8s %9s %8s %8s %8s %9s %8s %8s %6s%n";

    private final List<String> changes = new ArrayList<>();
    private final List<String> packets = new ArrayList<>();
    private final List<String> lookups = new ArrayList<>();
    private final List<String> notes = new ArrayList<>();

    /** What changing a database took, in ns; a part that was not done is 0. */
    static final class Changes {
        long addNs;
        long added;
        long updateNs;
        long updated;
        long deleteNs;
        long deleted;
        long dumpNs;
        long dumped;
        long flushNs;
        /** What {@link #held} entries that were added take of the heap. */
        long heapBytes;

        long held;
    }

    void add(String name, int entries, Changes done) {
        changes.add(CHANGES.formatted(
                "changes",
                name,
                entries,
                rate(done.added, done.addNs),
                rate(done.updated, done.updateNs),
                rate(done.deleted, done.deleteNs),
                rate(done.dumped, done.dumpNs),
                done.flushNs == 0 ? "-" : "%.2f".formatted(done.flushNs / 1e6),
                done.held == 0 ? "-" : Long.toString(done.heapBytes / done.held),
                Long.toString(done.added)));
    }

    /** A line of its own, below the tables. */
    void note(String text) {
        notes.add(text);
    }

    /** What finding the policy of a flow costs in the mean. */
    void classification(String name, int entries, double ns) {
        packets.add("%-8s %-22s %9d %9.0f ns%n".formatted("classify", name, entries, ns));
    }

    /** Of the packets of the line before, the share that another policy ruled than the packet before. */
    void turnover(String name, int entries, double share) {
        packets.add("%-8s %-22s %9d %8.1f %% of these packets had another policy than the one before of their flow%n"
                .formatted("turnover", name, entries, share * 100));
    }

    /** With what was dropped, ever since the bridge is there. */
    void add(String name, int entries, String phase, Traffic.Lap lap, LoopbackBridge bridge) {
        if (lap.dropped() > 0) {
            note("%s %d %s dropped: %s".formatted(name, entries, phase, bridge.drops()));
        }
        Histogram out = lap.ns(Timed.OUT);
        Histogram in = lap.ns(Timed.IN);
        packets.add(PACKETS.formatted(
                "packets",
                name,
                entries,
                phase,
                "%.0f".formatted(lap.packetsPerSecond()),
                us(out, 50),
                us(out, 99),
                us(out, 99.9),
                us(out, 100),
                us(in, 50),
                us(in, 99),
                us(in, 99.9),
                us(in, 100),
                "%.2f".formatted(lap.outLookupsPerPacket()),
                lap.received() == 0 ? "-" : "%.2f".formatted(lap.inLookupsPerPacket()),
                lap.dropped()));
        Histogram policy = lap.ns(Timed.POLICY);
        Histogram state = lap.ns(Timed.STATE);
        lookups.add(LOOKUPS.formatted(
                "lookups",
                name,
                entries,
                phase,
                ns(policy, 50),
                ns(policy, 99),
                ns(policy, 99.9),
                ns(policy, 100),
                ns(state, 50),
                ns(state, 99),
                ns(state, 99.9),
                ns(state, 100)));
    }

    /** Prints what was added since the last time. */
    void print() {
        if (!changes.isEmpty()) {
            System.out.printf(
                    CHANGES,
                    "",
                    "",
                    "entries",
                    "adds/s",
                    "updates/s",
                    "deletes/s",
                    "dumped/s",
                    "flush ms",
                    "B/entry",
                    "added");
        }
        changes.forEach(System.out::print);
        if (!packets.isEmpty()) {
            System.out.printf(
                    "%-50s %8s  | %-35s| %-35s| %s%n", "", "", "outbound, us", "inbound, us", "lookups per packet");
            System.out.printf(
                    PACKETS, "", "", "entries", "while", "pkts/s", "50 %", "99 %", "99.9 %", "longest", "50 %", "99 %",
                    "99.9 %", "longest", "out", "in", "drops");
        }
        packets.forEach(System.out::print);
        if (!lookups.isEmpty()) {
            System.out.printf("%-50s  | %-36s| %s%n", "", "policy of a flow, ns", "State of a packet, ns");
            System.out.printf(
                    LOOKUPS, "", "", "entries", "while", "50 %", "99 %", "99.9 %", "longest", "50 %", "99 %", "99.9 %",
                    "longest");
        }
        lookups.forEach(System.out::print);
        notes.forEach(note -> System.out.println("note     " + note));
        notes.clear();
        changes.clear();
        packets.clear();
        lookups.clear();
    }

    private static String rate(long count, long ns) {
        return count == 0 || ns == 0 ? "-" : "%.0f".formatted(count * 1e9 / ns);
    }

    static String us(Histogram ns, double percentile) {
        return ns.getTotalCount() == 0 ? "-" : "%.2f".formatted(ns.getValueAtPercentile(percentile) / 1e3);
    }

    private static String ns(Histogram ns, double percentile) {
        return ns.getTotalCount() == 0 ? "-" : Long.toString(ns.getValueAtPercentile(percentile));
    }

    /** What is left on the heap after a collection, to the byte: a JVM counts what is used in regions of up to 2 MB. */
    static long usedHeapBytes() {
        Object histogram;
        try {
            histogram = ManagementFactory.getPlatformMBeanServer()
                    .invoke(
                            new ObjectName("com.sun.management:type=DiagnosticCommand"),
                            "gcClassHistogram",
                            new Object[] {new String[0]},
                            new String[] {String[].class.getName()});
        } catch (JMException e) {
            throw new IllegalStateException(e);
        }
        // The last line: Total, objects, bytes.
        String[] words = histogram.toString().strip().split("\\s+");
        return Long.parseLong(words[words.length - 1]);
    }
}
