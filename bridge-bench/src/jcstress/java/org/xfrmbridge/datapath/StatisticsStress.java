package org.xfrmbridge.datapath;

import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE;

import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.JJ_Result;

/** Counters that a datapath thread moves while another sums them up: whole, and never back. */
@JCStressTest
@Outcome(id = "0, 0", expect = ACCEPTABLE, desc = "before")
@Outcome(id = "0, 4294967297", expect = ACCEPTABLE, desc = "in between")
@Outcome(id = "4294967297, 4294967297", expect = ACCEPTABLE, desc = "after")
@State
public class StatisticsStress {
    private final XfrmStats stats = new XfrmStats();
    private final PathCounters counters = stats.newOutbound();

    @Actor
    public void datapath() {
        counters.add(Metric.BYTES, 0x1_0000_0001L);
    }

    @Actor
    public void control(JJ_Result result) {
        result.r1 = stats.outbound(Metric.BYTES);
        result.r2 = stats.outbound(Metric.BYTES);
    }
}
