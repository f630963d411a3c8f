package org.xfrmbridge.km;

import org.xfrmbridge.time.Clock;
import org.xfrmbridge.time.Timer;
import org.xfrmbridge.time.TimerWheel;

/** All timers of the control side, on one wheel; each has the action it runs for a subject. Control thread only. */
final class ControlTimers {
    static final long NS_PER_SECOND = 1_000_000_000L;

    private static final long TICK_NS = 10_000_000L;

    /** Longer than any clock runs, and short enough to be added to in nanoseconds. */
    private static final long FOREVER_SECONDS = 1L << 32;

    private final Clock clock;
    private final TimerWheel<Runnable> wheel;
    private int ran;

    ControlTimers(Clock clock) {
        this.clock = clock;
        wheel = new TimerWheel<>(TICK_NS, clock.nowNs());
    }

    /** Sets or resets. */
    void set(Timer<Runnable> timer, long delayNs) {
        wheel.schedule(timer, clock.nowNs() + delayNs);
    }

    void setSeconds(Timer<Runnable> timer, long seconds) {
        set(timer, Math.min(seconds, FOREVER_SECONDS) * NS_PER_SECOND);
    }

    void cancel(Timer<Runnable> timer) {
        wheel.cancel(timer);
    }

    /** Runs what is due; returns how many. */
    int run() {
        ran = 0;
        wheel.advance(clock.nowNs(), this::fire);
        return ran;
    }

    long nextDeadlineNs() {
        return wheel.nextNs();
    }

    private void fire(Runnable action) {
        ran++;
        action.run();
    }
}
