package org.xfrmbridge.datapath;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNull;

import org.junit.jupiter.api.Test;

class XfrmStatsTest {
    @Test
    void shouldPrintWhatTheKernelPrints() {
        XfrmStats stats = new XfrmStats();
        stats.newOutbound().drop(DropReason.OUT_NO_STATES);
        stats.newOutbound().drop(DropReason.OUT_NO_STATES);
        stats.newInbound().drop(DropReason.IN_ERROR);
        String[] lines = stats.toProcText().split("\n");
        assertEquals(32, lines.length);
        assertEquals("XfrmInError             \t1", lines[0]);
        assertEquals("XfrmOutNoStates         \t2", lines[17]);
        assertEquals("XfrmOutBundleCheckError \t0", lines[16]);
        assertEquals("XfrmOutNoQueueSpace     \t0", lines[31]);
    }

    @Test
    void shouldSumOverThreads() {
        XfrmStats stats = new XfrmStats();
        assertEquals(0, stats.lookupsPerPacket());
        PathCounters one = stats.newOutbound();
        PathCounters other = stats.newInbound();
        one.add(Metric.PACKETS, 3);
        one.add(Metric.LOOKUPS, 3);
        other.add(Metric.PACKETS, 1);
        other.add(Metric.LOOKUPS, 3);
        assertEquals(3, stats.outbound(Metric.PACKETS));
        assertEquals(1.5, stats.lookupsPerPacket());
    }

    @Test
    void shouldTellOfFaultsButNotWhereAKernelsCountersAre() {
        XfrmStats stats = new XfrmStats();
        PathCounters counters = stats.newInbound();
        counters.fault(new IllegalStateException());
        counters.fault(new StackOverflowError());
        assertEquals(2, stats.drops(DropReason.FAULT));
        assertEquals(2, stats.inboundFaults());
        assertEquals(0, stats.outboundFaults());
        assertNull(stats.takeOutboundFault());
        assertInstanceOf(StackOverflowError.class, stats.takeInboundFault());
        assertNull(stats.takeInboundFault());
        assertFalse(stats.toProcText().contains("Fault"), stats::toProcText);
    }
}
