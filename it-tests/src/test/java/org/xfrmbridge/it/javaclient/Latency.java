package org.xfrmbridge.it.javaclient;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.concurrent.Callable;
import org.xfrmbridge.daemon.client.Clients;
import org.xfrmbridge.netlink.client.XfrmClient;

/** How long a client waits for its answers. Sorted, in nanoseconds. @param lastedNs all in all */
record Latency(long[] sortedNs, long lastedNs) {
    /** Asks on and on from another thread while something else happens. */
    static Latency during(Path bridge, Callable<?> body) throws Exception {
        Prober prober = new Prober(bridge);
        long startNs = System.nanoTime();
        prober.start();
        try {
            body.call();
        } finally {
            prober.over = true;
            prober.join();
        }
        if (prober.failure != null) {
            throw prober.failure;
        }
        return new Latency(prober.sorted(), System.nanoTime() - startNs);
    }

    private static final class Prober extends Thread {
        private static final int MAX_PROBES = 1_000_000;

        private final Path bridge;
        private final long[] tookNs = new long[MAX_PROBES];
        private int count;
        private volatile boolean over;
        private IOException failure;

        Prober(Path bridge) {
            super("prober");
            this.bridge = bridge;
        }

        @Override
        public void run() {
            try (XfrmClient client = Clients.xfrmOfBridge(bridge)) {
                while (!over && count < MAX_PROBES) {
                    long startNs = System.nanoTime();
                    client.stateCount();
                    tookNs[count++] = System.nanoTime() - startNs;
                }
            } catch (IOException e) {
                failure = e;
            }
        }

        private long[] sorted() {
            long[] sorted = Arrays.copyOf(tookNs, count);
            Arrays.sort(sorted);
            return sorted;
        }
    }

    /** In microseconds. */
    double quantile(double share) {
        return sortedNs[(int) Math.min(sortedNs.length - 1, Math.round(share * sortedNs.length))] / 1000.0;
    }

    @Override
    public String toString() {
        return "%.1f s, %d answers, median %.0f us, 99 %% within %.0f us, 99.9 %% within %.0f us, longest %.0f us"
                .formatted(
                        lastedNs / 1e9, sortedNs.length, quantile(0.5), quantile(0.99), quantile(0.999), quantile(1));
    }
}
