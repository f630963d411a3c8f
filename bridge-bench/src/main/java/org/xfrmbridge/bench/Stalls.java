package org.xfrmbridge.bench;

import java.io.IOException;
import java.lang.management.ManagementFactory;
import org.HdrHistogram.Histogram;

/**
 * How long each of very many short things took, one after the other on one thread, and beside each the same time spent
 * on nothing: what strikes both alike is the machine, its scheduler or a pause of the whole JVM, and not the thing. The
 * longest are kept with what is known of them.
 */
final class Stalls implements AutoCloseable {
    private static final int NOTED = 4096;
    private static final int LOOK_EVERY = 64;
    private static final long SLOW_NS = 200_000;

    /** Given, so that histograms never grow: that would be garbage of the thread that is watched. */
    private static final long LONGEST_NS = 60_000_000_000L;

    final Histogram thing = new Histogram(LONGEST_NS, 3);
    final Histogram nothing = new Histogram(LONGEST_NS, 3);
    private final Histogram running = new Histogram(LONGEST_NS, 3);

    private final ThreadUse use = new ThreadUse();
    private final long originNs =
            System.nanoTime() - ManagementFactory.getRuntimeMXBean().getUptime() * 1_000_000;
    private final long[] atNs = new long[NOTED];
    private final long[] tookNs = new long[NOTED];
    private final long[] waitNs = new long[NOTED];
    private final long[] faults = new long[NOTED];
    private int noted;
    private int turn;
    private long waitedNs;
    private long faulted;

    Stalls() throws IOException {
        waitedNs = use.waitedNs();
        faulted = use.minorFaults();
    }

    /** Notes a thing that began at {@code startNs} and has just ended, then does nothing for as long. */
    void note(long startNs) throws IOException {
        long endNs = System.nanoTime();
        long took = endNs - startNs;
        thing.recordValue(took);
        if (took > SLOW_NS || ++turn % LOOK_EVERY == 0) {
            running.recordValue(Math.max(0, took - look(startNs, took, 1)));
            endNs = System.nanoTime();
        } else {
            running.recordValue(took);
        }
        long nowNs = System.nanoTime();
        while (nowNs - endNs < Math.min(took, SLOW_NS)) {
            nowNs = System.nanoTime();
        }
        nothing.recordValue(nowNs - endNs);
        if (nowNs - endNs > 2 * SLOW_NS) {
            look(endNs, nowNs - endNs, -1);
        }
    }

    /** Waiting since the last look, which was not long ago; negative lengths mark what happened to nothing. */
    private long look(long startNs, long took, int sign) throws IOException {
        long waited = use.waitedNs();
        long since = waited - waitedNs;
        waitedNs = waited;
        if (took > SLOW_NS && noted < NOTED) {
            long faultsNow = use.minorFaults();
            atNs[noted] = startNs - originNs;
            tookNs[noted] = sign * took;
            waitNs[noted] = since;
            faults[noted] = faultsNow - faulted;
            faulted = faultsNow;
            noted++;
        }
        return since;
    }

    void print() {
        System.out.printf(
                "%-22s %12s %9s %9s %9s %9s %9s %10s %8s%n",
                "us", "count", "50 %", "99 %", "99.9 %", "99.99 %", "99.999 %", "longest", "> 1 ms");
        print("lookups", thing);
        print("lookups, had a CPU", running);
        print("nothing, as long", nothing);
        System.out.println(
                "over 0.2 ms, at seconds of the JVM: us (waiting for a CPU us, page faults since the last such)");
        for (int i = 0; i < noted; i++) {
            System.out.printf(
                    "  %9.3f %-8s %9.0f (%.0f, %d)%n",
                    atNs[i] / 1e9,
                    tookNs[i] < 0 ? "nothing" : "lookup",
                    Math.abs(tookNs[i]) / 1e3,
                    waitNs[i] / 1e3,
                    faults[i]);
        }
    }

    private static void print(String name, Histogram ns) {
        System.out.printf(
                "%-22s %12d %9.2f %9.2f %9.2f %9.2f %9.2f %10.1f %8d%n",
                name,
                ns.getTotalCount(),
                us(ns, 50),
                us(ns, 99),
                us(ns, 99.9),
                us(ns, 99.99),
                us(ns, 99.999),
                ns.getMaxValue() / 1e3,
                ns.getTotalCount() - ns.getCountBetweenValues(0, 1_000_000));
    }

    private static double us(Histogram ns, double percentile) {
        return ns.getValueAtPercentile(percentile) / 1e3;
    }

    @Override
    public void close() throws IOException {
        use.close();
    }
}
