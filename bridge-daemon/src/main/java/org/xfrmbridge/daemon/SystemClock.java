package org.xfrmbridge.daemon;

import org.xfrmbridge.time.Clock;

/** The machine's clocks. The only place that reads them. */
public final class SystemClock implements Clock {
    @Override
    public long nowNs() {
        return System.nanoTime();
    }

    @Override
    public long epochSeconds() {
        return System.currentTimeMillis() / 1000;
    }
}
