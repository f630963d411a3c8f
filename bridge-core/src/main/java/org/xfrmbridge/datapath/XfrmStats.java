package org.xfrmbridge.datapath;

import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;

/** The counters of all datapath threads, summed when somebody asks. Any thread. */
public final class XfrmStats {
    private final List<PathCounters> outbound = new CopyOnWriteArrayList<>();
    private final List<PathCounters> inbound = new CopyOnWriteArrayList<>();

    /** Counters for one more thread of the outbound direction. */
    public PathCounters newOutbound() {
        return added(outbound);
    }

    /** Counters for one more thread of the inbound direction. */
    public PathCounters newInbound() {
        return added(inbound);
    }

    /** What queues of the kernel have lost until now, as nobody took it. One thread. */
    public void setMissed(long outboundFrames, long inboundFrames) {
        outbound.getFirst().set(Metric.MISSED, outboundFrames);
        inbound.getFirst().set(Metric.MISSED, inboundFrames);
    }

    public long outbound(Metric metric) {
        return outbound.stream().mapToLong(counters -> counters.get(metric)).sum();
    }

    public long inbound(Metric metric) {
        return inbound.stream().mapToLong(counters -> counters.get(metric)).sum();
    }

    /** Either direction can meet any reason: inbound errors come from one of them only by nature. */
    public long drops(DropReason reason) {
        return sum(outbound, reason) + sum(inbound, reason);
    }

    /** How many frames faults have cost the outbound direction. */
    public long outboundFaults() {
        return sum(outbound, DropReason.FAULT);
    }

    /** The same inbound. */
    public long inboundFaults() {
        return sum(inbound, DropReason.FAULT);
    }

    /** The latest fault of the outbound direction since this was asked last, or null. One thread asks. */
    public Throwable takeOutboundFault() {
        return takeFault(outbound);
    }

    /** The same inbound. */
    public Throwable takeInboundFault() {
        return takeFault(inbound);
    }

    /** Lookups per packet over both directions, frames without IP not counted; 0 before the first packet. */
    public double lookupsPerPacket() {
        long packets =
                outbound(Metric.PACKETS) - outbound(Metric.NOT_IP) + inbound(Metric.PACKETS) - inbound(Metric.NOT_IP);
        return packets == 0 ? 0 : (double) (outbound(Metric.LOOKUPS) + inbound(Metric.LOOKUPS)) / packets;
    }

    /** The text of {@code /proc/net/xfrm_stat}. */
    public String toProcText() {
        StringBuilder text = new StringBuilder();
        for (DropReason reason : DropReason.ALL) {
            if (reason.isInXfrmStat()) {
                text.append("%-24s\t%d\n".formatted("Xfrm" + reason.label(), drops(reason)));
            }
        }
        return text.toString();
    }

    private static long sum(List<PathCounters> all, DropReason reason) {
        return all.stream().mapToLong(counters -> counters.get(reason)).sum();
    }

    private static Throwable takeFault(List<PathCounters> all) {
        Throwable latest = null;
        for (PathCounters counters : all) {
            Throwable fault = counters.takeFault();
            latest = fault == null ? latest : fault;
        }
        return latest;
    }

    private static PathCounters added(List<PathCounters> to) {
        PathCounters counters = new PathCounters();
        to.add(counters);
        return counters;
    }
}
