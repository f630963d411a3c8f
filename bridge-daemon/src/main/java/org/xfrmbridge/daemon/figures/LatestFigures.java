package org.xfrmbridge.daemon.figures;

import java.io.IOException;
import org.xfrmbridge.time.Clock;

/** The figures for whoever asks, taken twice a second at most, however many those are. Any thread. */
public final class LatestFigures {
    private static final long AGE_NS = 500_000_000;

    /** Who takes them. */
    public interface Source {
        /** @throws IOException if there is no time for it */
        Figures take() throws IOException;
    }

    private final Source source;
    private final Clock clock;
    private Figures latest;
    private long takenNs;

    public LatestFigures(Source source, Clock clock) {
        this.source = source;
        this.clock = clock;
    }

    /** @throws IOException if nobody has time to take them */
    public synchronized Figures get() throws IOException {
        if (latest == null || clock.nowNs() - takenNs > AGE_NS) {
            latest = source.take();
            takenNs = clock.nowNs();
        }
        return latest;
    }
}
