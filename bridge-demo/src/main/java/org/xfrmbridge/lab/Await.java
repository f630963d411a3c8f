package org.xfrmbridge.lab;

import java.time.Duration;
import java.util.function.BooleanSupplier;

/**
 * Waiting for what another program does: a condition looked at every 50 ms, or after as long as it takes itself. Throws
 * {@link LabException} at the limit.
 */
public final class Await {
    private static final long POLL_NS = 50_000_000;

    private Await() {}

    public static void until(String what, Duration limit, BooleanSupplier condition) {
        long deadlineNs = System.nanoTime() + limit.toNanos();
        long lookedNs = System.nanoTime();
        while (!condition.getAsBoolean()) {
            long nowNs = System.nanoTime();
            if (nowNs - deadlineNs > 0) {
                throw new LabException("waited " + limit.toSeconds() + " s in vain for " + what);
            }
            // A condition that starts programs must not take the processors from what it waits for.
            pause(Duration.ofNanos(Math.max(POLL_NS, nowNs - lookedNs)));
            lookedNs = System.nanoTime();
        }
    }

    /** Lets time pass for the programs beside us: traffic under rekeying, an idle connection. */
    public static void pause(Duration time) {
        try {
            Thread.sleep(time);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new LabException("interrupted", e);
        }
    }
}
