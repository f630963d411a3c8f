package org.xfrmbridge.daemon.os;

import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

class ShortSleepTest {
    /** The upper limit is for a machine with other work. */
    @Test
    void shouldLastAsLongAsAsked() {
        ShortSleep sleep = new ShortSleep(200_000);
        long shortest = Long.MAX_VALUE;
        for (int i = 0; i < 50; i++) {
            long begin = System.nanoTime();
            sleep.sleep();
            long took = System.nanoTime() - begin;
            assertTrue(took >= 200_000, "took " + took + " ns");
            shortest = Math.min(shortest, took);
        }
        assertTrue(shortest < 1_000_000, "at least " + shortest + " ns");
    }
}
