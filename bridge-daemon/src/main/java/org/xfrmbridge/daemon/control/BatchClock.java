package org.xfrmbridge.daemon.control;

import org.xfrmbridge.time.Clock;

/**
 * Reads the seconds once for all that is changed in one batch: a reading costs as much as a twentieth of a change.
 * Control thread only.
 */
public final class BatchClock implements Clock, ChangeBatch {
    private final Clock real;
    private boolean inBatch;
    private long seconds;

    public BatchClock(Clock real) {
        this.real = real;
    }

    @Override
    public void begin() {
        seconds = real.epochSeconds();
        inBatch = true;
    }

    @Override
    public void end() {
        inBatch = false;
    }

    @Override
    public long nowNs() {
        return real.nowNs();
    }

    @Override
    public long epochSeconds() {
        return inBatch ? seconds : real.epochSeconds();
    }
}
