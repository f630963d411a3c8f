package org.xfrmbridge.daemon.os;

import org.xfrmbridge.time.Clock;

/** The machine's clocks. Nobody else reads them. */
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
