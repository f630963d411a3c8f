package org.xfrmbridge.time;

import java.util.concurrent.TimeUnit;

/** A clock that goes when it is told to. Any thread may read it while one sets it. */
public final class ManualClock implements Clock {
    private volatile long nowNs;
    private final long epochSecondsAtStart;

    public ManualClock() {
        this(1_000_000_000L);
    }

    public ManualClock(long epochSeconds) {
        epochSecondsAtStart = epochSeconds;
    }

    public void advanceSeconds(long seconds) {
        advanceNs(TimeUnit.SECONDS.toNanos(seconds));
    }

    public void advanceNs(long durationNs) {
        nowNs = nowNs + durationNs;
    }

    @Override
    public long nowNs() {
        return nowNs;
    }

    @Override
    public long epochSeconds() {
        return epochSecondsAtStart + TimeUnit.NANOSECONDS.toSeconds(nowNs);
    }
}
