package org.xfrmbridge.daemon.control;

import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.xfrmbridge.time.Clock;

/**
 * The pace of the loop that serves those who have no rights: after each millisecond of work it rests for nine, so that
 * whatever they send, a tenth of a processor is the most they take, and a tenth of the garbage that it could make. They
 * wait meanwhile. One thread: the loop's.
 */
final class GuestPace implements ControlLoop.Work {
    private static final long WORK_NS = TimeUnit.MILLISECONDS.toNanos(1);
    private static final int REST_PER_WORK = 9;
    private static final long MOST_REST_NS = TimeUnit.MILLISECONDS.toNanos(100);

    private final Clock clock;
    private long startNs;
    private long workedNs;

    GuestPace(Clock clock) {
        this.clock = clock;
    }

    @Override
    public void drainEvents() {
        startNs = clock.nowNs();
    }

    @Override
    public void runTimers() {
        workedNs += clock.nowNs() - startNs;
        if (workedNs >= WORK_NS) {
            LockSupport.parkNanos(Math.min(REST_PER_WORK * workedNs, MOST_REST_NS));
            workedNs = 0;
        }
    }

    @Override
    public long nextDeadlineNs() {
        return Long.MAX_VALUE;
    }
}
