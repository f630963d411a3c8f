package org.xfrmbridge.it.conformance;

import org.xfrmbridge.time.Clock;

/** Time that goes on in pauses only. */
final class PausedClock implements Clock {
    private static final long NS_PER_MS = 1_000_000;
    private static final long NS_PER_SECOND = 1_000_000_000;
    private static final long START_SECONDS = 1_700_000_000;

    private long nowNs;

    void advanceMs(long ms) {
        nowNs += ms * NS_PER_MS;
    }

    @Override
    public long nowNs() {
        return nowNs;
    }

    @Override
    public long epochSeconds() {
        return START_SECONDS + nowNs / NS_PER_SECOND;
    }
}
