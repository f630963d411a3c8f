package org.xfrmbridge.bench;

import java.util.ArrayList;
import java.util.List;
import org.HdrHistogram.Histogram;

/** The tables that stress programs print: one of changes, one of packets, a line per number of entries. {@code plot.py} reads them again. */
final class Report {
    private static final String CHANGES = "%-8s %-22s %9s %9s %9s %9s %9s %11s %9s %9s%n";
    private static final String PACKETS = "%-8s %-22s %9s %-8s %8s %8s %8s %8s %9s %8s %8s %8s %9s %8s %8s %6s%n";

    private final List<String> changes = new ArrayList<>();
    private final List<String> packets = new ArrayList<>();
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
        long heapBytes;
    }

    void add(String name, int entries, Changes done) {
        changes.add(CHANGES.formatted(
                "changes", name, entries, rate(done.added, done.addNs), rate(done.updated, done.updateNs), rate(done.deleted, done.deleteNs),
                rate(done.dumped, done.dumpNs), done.flushNs == 0 ? "-" : "%.2f".formatted(done.flushNs / 1e6),
                done.added == 0 || done.heapBytes == 0 ? "-" : Long.toString(done.heapBytes / done.added), Long.toString(done.added)));
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
        packets.add("%-8s %-22s %9d %8.1f %% of these packets had another policy than the one before of their flow%n".formatted("turnover", name, entries, share * 100));
    }

    /** With what was dropped, ever since the site is there. */
    void add(String name, int entries, String phase, Traffic.Lap lap, Site site) {
        if (lap.dropped() > 0) {
            note("%s %d %s dropped: %s".formatted(name, entries, phase, site.drops()));
        }
        packets.add(PACKETS.formatted(
                "packets", name, entries, phase, "%.0f".formatted(lap.packetsPerSecond()), us(lap.out(), 50), us(lap.out(), 99), us(lap.out(), 99.9),
                us(lap.out(), 100), us(lap.in(), 50), us(lap.in(), 99), us(lap.in(), 99.9), us(lap.in(), 100),
                "%.2f".formatted(lap.outLookupsPerPacket()), lap.received() == 0 ? "-" : "%.2f".formatted(lap.inLookupsPerPacket()), lap.dropped()));
    }

    /** Prints what was added since the last time. */
    void print() {
        if (!changes.isEmpty()) {
            System.out.printf(CHANGES, "", "", "entries", "adds/s", "updates/s", "deletes/s", "dumped/s", "flush ms", "B/entry", "added");
        }
        changes.forEach(System.out::print);
        if (!packets.isEmpty()) {
            System.out.printf("%-50s %8s  | %-35s| %-35s| %s%n", "", "", "outbound, us", "inbound, us", "lookups per packet");
            System.out.printf(
                    PACKETS, "", "", "entries", "while", "pkts/s", "50 %", "99 %", "99.9 %", "longest", "50 %", "99 %", "99.9 %", "longest", "out", "in", "drops");
        }
        packets.forEach(System.out::print);
        notes.forEach(note -> System.out.println("note     " + note));
        notes.clear();
        changes.clear();
        packets.clear();
    }

    private static String rate(long count, long ns) {
        return count == 0 || ns == 0 ? "-" : "%.0f".formatted(count * 1e9 / ns);
    }

    static String us(Histogram ns, double percentile) {
        return ns.getTotalCount() == 0 ? "-" : "%.2f".formatted(ns.getValueAtPercentile(percentile) / 1e3);
    }

    /** What is left on the heap after collections. */
    static long usedHeapBytes() {
        for (int i = 0; i < 3; i++) {
            System.gc();
        }
        Runtime runtime = Runtime.getRuntime();
        return runtime.totalMemory() - runtime.freeMemory();
    }
}
