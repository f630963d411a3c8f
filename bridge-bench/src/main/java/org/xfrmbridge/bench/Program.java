package org.xfrmbridge.bench;

import java.util.concurrent.Callable;
import org.xfrmbridge.db.Dump;
import org.xfrmbridge.km.XfrmException;
import picocli.CommandLine.Option;

/**
 * What the stress programs have in common: they run for several numbers of entries, once before it counts, and print
 * their tables.
 */
abstract class Program implements Callable<Integer> {
    /** Changes of many entries that are timed one by one kind. */
    static final int CHANGES = 16_000;

    /** A stretch that is shorter sees too few packets. */
    static final long LEAST_NS = 200_000_000;

    private static final int TURN = 1024;
    private static final int WARM_PACKETS = 50_000;

    @Option(names = "-n", split = ",", description = "numbers of entries (default: ${DEFAULT-VALUE})")
    private int[] sizes = {1000, 10_000, 100_000, 1_000_000};

    @Option(
            names = "--seconds",
            description = "how long packets flow when nothing else happens (default: ${DEFAULT-VALUE})")
    private double quietSeconds = 1;

    @Option(
            names = "--warm-up",
            description = "entries of the first run, which does not count (default: ${DEFAULT-VALUE})")
    private int warmUp = 20_000;

    @Option(
            names = "--flows",
            description =
                    "how many flows there are from the beginning, at most half the entries (default: ${DEFAULT-VALUE})")
    private int flows = 1000;

    final Report report = new Report();

    @Override
    public Integer call() throws XfrmException, InterruptedException {
        run(warmUp, new Report());
        for (int size : sizes) {
            run(size, report);
        }
        report.print();
        return 0;
    }

    /** The program for one number of entries. */
    abstract void run(int entries, Report into) throws XfrmException, InterruptedException;

    /** Something done to the n-th entry. */
    interface Change {
        void apply(int number) throws XfrmException;
    }

    /** Does it for all, with the turns that the daemon's loop takes between requests; returns how long that took. */
    static long timeNs(LoopbackBridge bridge, int from, int to, Change change) throws XfrmException {
        long start = System.nanoTime();
        for (int i = from; i < to; i++) {
            change.apply(i);
            if (i % TURN == 0) {
                bridge.turn();
            }
        }
        return System.nanoTime() - start;
    }

    static int walk(Dump<?> dump) {
        int count = 0;
        while (dump.next() != null) {
            count++;
        }
        return count;
    }

    final int flows(int entries) {
        return Math.min(flows, entries / 2);
    }

    /** What is added, and how it goes again. */
    record Span(int from, int to, Change add, Change remove) {
        int size() {
            return to - from;
        }
    }

    /**
     * Adds entries while packets flow, which go on flowing. A few are there too soon to see packets: they are taken
     * away again and added once more, as often as that takes. The heap is looked at after the first time, when nothing
     * yet remembers what has gone.
     */
    final Traffic.Lap grow(LoopbackBridge bridge, Traffic traffic, Span span, Report.Changes done)
            throws XfrmException {
        Traffic.Lap all = traffic.emptyLap();
        long heapBefore = Report.usedHeapBytes();
        all = all.plus(growOnce(bridge, traffic, span, done));
        traffic.pause();
        done.heapBytes = Report.usedHeapBytes() - heapBefore;
        done.held = span.size();
        while (done.addNs < LEAST_NS) {
            timeNs(bridge, span.from, span.to, span.remove);
            all = all.plus(growOnce(bridge, traffic, span, done));
            traffic.pause();
        }
        traffic.resume();
        return all;
    }

    private static Traffic.Lap growOnce(LoopbackBridge bridge, Traffic traffic, Span span, Report.Changes done)
            throws XfrmException {
        traffic.resume();
        traffic.await(1);
        traffic.startLap();
        done.addNs += timeNs(bridge, span.from, span.to, span.add);
        done.added += span.size();
        return traffic.lap();
    }

    /** Lets packets flow until the code is compiled and every flow is known, and stand still again. */
    final void warm(Traffic traffic) {
        traffic.resume();
        traffic.await(WARM_PACKETS);
        meetAll(traffic);
        traffic.pause();
    }

    /** All flows have a packet, after whatever happened before. */
    final void meetAll(Traffic traffic) {
        traffic.await(2L * flows);
    }

    /** Lets packets flow while nothing changes. */
    Traffic.Lap quiet(LoopbackBridge bridge, Traffic traffic) throws InterruptedException {
        traffic.resume();
        meetAll(traffic);
        traffic.startLap();
        long until = System.nanoTime() + (long) (quietSeconds * 1e9);
        while (System.nanoTime() < until) {
            bridge.turn();
            Thread.sleep(1);
        }
        Traffic.Lap lap = traffic.lap();
        traffic.pause();
        return lap;
    }
}
