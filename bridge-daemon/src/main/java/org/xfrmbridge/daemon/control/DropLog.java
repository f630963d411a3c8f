package org.xfrmbridge.daemon.control;

import java.util.EnumMap;
import java.util.Map;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.xfrmbridge.daemon.figures.CounterNames;
import org.xfrmbridge.datapath.DropReason;
import org.xfrmbridge.datapath.XfrmStats;
import org.xfrmbridge.time.Clock;

/**
 * Tells of packets that were dropped: one line for a reason with how many those were, at once for the first ones, and
 * once a minute as long as there are more. Control thread only.
 */
public final class DropLog {
    private static final long PAUSE_NS = 60_000_000_000L;

    /** @param drops how many were told of, {@code timeNs} when */
    private record Told(long drops, long timeNs) {}

    private final XfrmStats stats;
    private final Clock clock;
    private final Logger log;
    private final Map<DropReason, Told> told = new EnumMap<>(DropReason.class);

    public DropLog(XfrmStats stats, Clock clock) {
        this(stats, clock, LoggerFactory.getLogger(DropLog.class));
    }

    /** @param log that the lines are for */
    DropLog(XfrmStats stats, Clock clock, Logger log) {
        this.stats = stats;
        this.clock = clock;
        this.log = log;
    }

    /** Called now and then. */
    public void flush() {
        for (DropReason reason : DropReason.values()) {
            long drops = stats.drops(reason);
            Told before = told.get(reason);
            long news = drops - (before == null ? 0 : before.drops());
            if (news > 0 && (before == null || clock.nowNs() - before.timeNs() >= PAUSE_NS)) {
                told.put(reason, new Told(drops, clock.nowNs()));
                log.info("{} packets dropped, {}: see \"xfrm-bridge drops\"", news, CounterNames.of(reason));
            }
        }
    }
}
