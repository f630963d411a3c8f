package org.xfrmbridge.daemon.journal;

import org.xfrmbridge.time.Clock;

/** The clock of an engine that replays a journal: its policies are added when they were first added. One thread. */
final class RestoreClock implements Clock {
    private final Clock real;
    private long addedSeconds;

    RestoreClock(Clock real) {
        this.real = real;
    }

    @Override
    public long nowNs() {
        return real.nowNs();
    }

    @Override
    public long epochSeconds() {
        long added = addedSeconds;
        return added == 0 ? real.epochSeconds() : added;
    }

    /** From now on it is then, but never later than now; 0 for now. */
    void turnBack(long epochSeconds) {
        addedSeconds = Math.clamp(epochSeconds, 0, real.epochSeconds());
    }
}
