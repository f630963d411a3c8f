package org.xfrmbridge.lab;

import java.time.Duration;
import java.util.function.BooleanSupplier;

/** Waiting for what another program does: a condition polled every 50 ms. Throws {@link LabException} at the limit. */
public final class Await {
    private static final long POLL_MS = 50;

    private Await() {}

    public static void until(String what, Duration limit, BooleanSupplier condition) {
        long deadlineNs = System.nanoTime() + limit.toNanos();
        while (!condition.getAsBoolean()) {
            if (System.nanoTime() - deadlineNs > 0) {
                throw new LabException("waited " + limit.toSeconds() + " s in vain for " + what);
            }
            pause(Duration.ofMillis(POLL_MS));
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
