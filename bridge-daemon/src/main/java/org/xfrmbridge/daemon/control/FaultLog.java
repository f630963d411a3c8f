package org.xfrmbridge.daemon.control;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.xfrmbridge.datapath.XfrmStats;

/**
 * Tells of faults on packets' paths, where nobody writes: one line for a direction, with the latest fault and how many
 * there were. Control thread only.
 */
public final class FaultLog {
    private final XfrmStats stats;
    private final Logger log;
    private long outboundTold;
    private long inboundTold;

    public FaultLog(XfrmStats stats) {
        this(stats, LoggerFactory.getLogger(FaultLog.class));
    }

    /** @param log that the lines are for */
    FaultLog(XfrmStats stats, Logger log) {
        this.stats = stats;
        this.log = log;
    }

    /** Called now and then: how often there are lines is the caller's to say. */
    public void flush() {
        outboundTold = tell("outbound", stats.takeOutboundFault(), stats.outboundFaults(), outboundTold);
        inboundTold = tell("inbound", stats.takeInboundFault(), stats.inboundFaults(), inboundTold);
    }

    private long tell(String direction, Throwable latest, long faults, long told) {
        if (latest != null) {
            log.error(
                    "a fault of xfrm-bridge has cost {} {} packets, see BridgeFault of stat; please report the latest",
                    faults - told,
                    direction,
                    latest);
        }
        return faults;
    }
}
