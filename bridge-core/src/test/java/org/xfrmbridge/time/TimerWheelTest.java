package org.xfrmbridge.time;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class TimerWheelTest {
    private static final long TICK_NS = 1000;

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3})
    void shouldExpireLikeAListWhenTimersComeAndGo(long seed) {
        Random random = new Random(seed);
        long nowNs = random.nextLong() >> 2;
        TimerWheel<Integer> wheel = new TimerWheel<>(TICK_NS, nowNs);
        long startNs = nowNs;
        List<Timer<Integer>> timers = new ArrayList<>();
        for (int i = 0; i < 500; i++) {
            timers.add(Timer.of(i));
        }
        long[] dueTick = new long[timers.size()];
        Arrays.fill(dueTick, -1);
        for (int step = 0; step < 100_000; step++) {
            int index = random.nextInt(timers.size());
            if (random.nextInt(20) == 0) {
                nowNs += random.nextLong(1L << random.nextInt(45));
                long nowTick = (nowNs - startNs) / TICK_NS;
                assertEquals(takeDue(dueTick, nowTick), expire(wheel, nowNs, dueTick));
            } else if (random.nextInt(4) == 0) {
                wheel.cancel(timers.get(index));
                dueTick[index] = -1;
            } else {
                long deadlineNs = nowNs + random.nextLong(1L << 1 + random.nextInt(55)) - 2000;
                wheel.schedule(timers.get(index), deadlineNs);
                long tick = Math.max(0, Math.ceilDiv(deadlineNs - startNs, TICK_NS));
                dueTick[index] = Math.max(tick, (nowNs - startNs) / TICK_NS);
            }
            assertEquals(dueTick[index] >= 0, timers.get(index).isScheduled());
        }
        assertEquals(Arrays.stream(dueTick).filter(tick -> tick >= 0).count(), wheel.size());
    }

    /** Subjects by tick, those of one tick by number: the wheel leaves their order open. */
    private static List<Integer> takeDue(long[] dueTick, long nowTick) {
        List<Integer> due = new ArrayList<>();
        for (int i = 0; i < dueTick.length; i++) {
            if (dueTick[i] >= 0 && dueTick[i] <= nowTick) {
                due.add(i);
            }
        }
        due.sort(Comparator.<Integer>comparingLong(i -> dueTick[i]).thenComparing(i -> i));
        return due;
    }

    private static List<Integer> expire(TimerWheel<Integer> wheel, long nowNs, long[] dueTick) {
        long nextNs = wheel.nextNs();
        List<Integer> expired = new ArrayList<>();
        wheel.advance(nowNs, expired::add);
        assertTrue(expired.isEmpty() || nextNs <= nowNs);
        for (int i = 1; i < expired.size(); i++) {
            assertTrue(dueTick[expired.get(i - 1)] <= dueTick[expired.get(i)], "ticks go up");
        }
        expired.sort(Comparator.<Integer>comparingLong(i -> dueTick[i]).thenComparing(i -> i));
        expired.forEach(i -> dueTick[i] = -1);
        return expired;
    }

    @Test
    void shouldNotBeEarlyAndAtMostATickLate() {
        TimerWheel<String> wheel = new TimerWheel<>(TICK_NS, 0);
        List<String> expired = new ArrayList<>();
        wheel.schedule(Timer.of("a"), 1_500);
        wheel.advance(1_999, expired::add);
        assertEquals(List.of(), expired);
        wheel.advance(2_000, expired::add);
        assertEquals(List.of("a"), expired);
        assertEquals(Long.MAX_VALUE, wheel.nextNs());
    }

    @Test
    void shouldComeToAnEndWhenAConsumerSchedulesIntoThePast() {
        TimerWheel<Integer> wheel = new TimerWheel<>(TICK_NS, 0);
        Timer<Integer> timer = Timer.of(1);
        int[] calls = {0};
        wheel.schedule(timer, 0);
        wheel.advance(5 * TICK_NS, subject -> {
            calls[0]++;
            wheel.schedule(timer, 0);
        });
        assertEquals(6, calls[0]);
        assertTrue(timer.isScheduled());
    }

    @Test
    void shouldNotExpireATimerThatAnotherOneOfItsTickCancelled() {
        TimerWheel<Integer> wheel = new TimerWheel<>(TICK_NS, 0);
        List<Timer<Integer>> timers = List.of(Timer.of(0), Timer.of(1));
        timers.forEach(timer -> wheel.schedule(timer, TICK_NS));
        int[] calls = {0};
        wheel.advance(TICK_NS, subject -> {
            calls[0]++;
            wheel.cancel(timers.get(1 - subject));
        });
        assertEquals(1, calls[0]);
        assertEquals(0, wheel.size());
    }

    @Test
    void shouldKeepATimerForEverWhenItsDeadlineIsTheEndOfTime() {
        TimerWheel<Integer> wheel = new TimerWheel<>(1, Long.MIN_VALUE / 2);
        Timer<Integer> timer = Timer.of(0);
        wheel.schedule(timer, Long.MAX_VALUE);
        wheel.advance(Long.MAX_VALUE / 4, subject -> {});
        assertTrue(timer.isScheduled());
        wheel.cancel(timer);
        assertFalse(timer.isScheduled());
    }
}
