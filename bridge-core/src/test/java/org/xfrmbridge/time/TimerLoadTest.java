package org.xfrmbridge.time;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

/** A million timers, some of them moved or cancelled: each of the others comes once, in its tick, and none is left. */
class TimerLoadTest {
    private static final int TIMERS = 1_000_000;
    private static final long TICK_NS = 10_000_000;
    private static final long SPAN_NS = 36_000L * 1_000_000_000;
    private static final long CANCELLED = -1;

    @Test
    void shouldExpireEachOfAMillionOnceAndInItsTick() {
        SplittableRandom random = new SplittableRandom(5);
        TimerWheel<Integer> wheel = new TimerWheel<>(TICK_NS, 0);
        long[] dueNs = new long[TIMERS];
        for (int i = 0; i < TIMERS; i++) {
            Timer<Integer> timer = Timer.of(i);
            dueNs[i] = random.nextLong(SPAN_NS);
            wheel.schedule(timer, dueNs[i]);
            if (i % 3 == 0) {
                dueNs[i] = random.nextLong(SPAN_NS);
                wheel.schedule(timer, dueNs[i]);
            }
            if (i % 10 == 0) {
                wheel.cancel(timer);
                dueNs[i] = CANCELLED;
            }
        }
        assertEquals(TIMERS - TIMERS / 10, wheel.size());
        int[] expired = {0};
        long[] nowNs = {0};
        while (wheel.size() > 0) {
            // As the control loop does, but now and then late.
            nowNs[0] = wheel.nextNs() + (random.nextInt(4) == 0 ? random.nextLong(1_000_000_000L) : 0);
            long lateNs = nowNs[0];
            wheel.advance(nowNs[0], i -> {
                assertTrue(dueNs[i] != CANCELLED && dueNs[i] <= lateNs, "not before its time, and not again");
                assertTrue(dueNs[i] > lateNs - 1_000_000_000L - 2 * TICK_NS, "and not much after it");
                dueNs[i] = CANCELLED;
                expired[0]++;
            });
        }
        assertEquals(TIMERS - TIMERS / 10, expired[0]);
    }
}
