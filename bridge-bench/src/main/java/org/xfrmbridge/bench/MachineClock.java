package org.xfrmbridge.bench;

import org.xfrmbridge.time.Clock;

/** The machine's clocks. */
record MachineClock() implements Clock {
    @Override
    public long nowNs() {
        return System.nanoTime();
    }

    @Override
    public long epochSeconds() {
        return System.currentTimeMillis() / 1000;
    }
}
