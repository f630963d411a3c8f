package org.xfrmbridge.bench;

import java.util.List;
import org.HdrHistogram.Histogram;
import org.xfrmbridge.bench.Traffic.Timed;
import org.xfrmbridge.datapath.Metric;
import org.xfrmbridge.km.Origin;
import org.xfrmbridge.km.XfrmException;
import org.xfrmbridge.xfrm.Flow;
import org.xfrmbridge.xfrm.Template;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/**
 * Packets of flows that never came before, as many as of those that are known: the flow cache keeps its size and what
 * it knows, and a stranger costs what one classification costs. Entries are strange flows; all of them match the
 * prefixes of many policies.
 */
@Command(name = "flow-flood", description = "Random flows beside known ones.")
final class FlowFlood extends Program {
    /** Strangers come in runs of this length, and so do the others. */
    private static final int RUN = 64;

    private static final int CLASSIFICATIONS = 200_000;
    private static final int PACKETS_OF_A_LOOK = 500_000;
    private static final List<Template> NONE = List.of();

    @Option(names = "--policies", description = "prefixed policies to classify by (default: ${DEFAULT-VALUE})")
    private int policies = 100_000;

    private static boolean isStranger(long packet) {
        return (packet / RUN & 1) == 1;
    }

    /** The number of a flow: known ones again and again, strangers from behind all policies. */
    private static int number(long packet, int flows) {
        long run = packet / RUN / 2 * RUN + packet % RUN;
        return isStranger(packet) ? -1 - (int) run : (int) (run % flows);
    }

    @Override
    void run(int entries, Report into) throws XfrmException, InterruptedException {
        LoopbackBridge bridge = new LoopbackBridge();
        timeNs(
                bridge,
                0,
                policies,
                i -> bridge.engine.addPolicy(
                        SampleEntries.policy(SampleEntries.Kind.PREFIXED, i).withTemplates(NONE),
                        false,
                        Origin.KERNEL));
        int flows = flows(entries);
        Traffic.Source source = new Traffic.Source() {
            @Override
            public void fill(Flow flow, long packet) {
                SampleEntries.fill(flow, SampleEntries.Kind.PREFIXED, number(packet, flows));
            }

            @Override
            public boolean isKnown(long packet) {
                return !isStranger(packet);
            }
        };
        try (Traffic traffic = new Traffic(bridge, source, 64)) {
            traffic.resume();
            traffic.await(4L * RUN * flows);
            fillCache(bridge, traffic);
            traffic.pause();
            Traffic.Lap lap = traffic.emptyLap();
            long heapBefore = Report.usedHeapBytes();
            long entriesBefore = bridge.stats.outbound(Metric.FLOW_ENTRIES);
            traffic.startLap();
            traffic.resume();
            traffic.await(2L * entries);
            lap = lap.plus(traffic.lap());
            traffic.pause();
            long heap = Report.usedHeapBytes() - heapBefore;
            into.add("flow-flood", entries, "flood", lap, bridge);
            Histogram alone = classification(bridge, entries);
            into.note(("%d strange flows: 50 %% %s us, 99 %% %s us, mean %.2f us; "
                            + "a classification alone: 50 %% %s us, 99 %% %s us, mean %.2f us")
                    .formatted(
                            entries,
                            Report.us(lap.ns(Timed.STRANGER), 50),
                            Report.us(lap.ns(Timed.STRANGER), 99),
                            lap.ns(Timed.STRANGER).getMean() / 1e3,
                            Report.us(alone, 50),
                            Report.us(alone, 99),
                            alone.getMean() / 1e3));
            into.note("flow cache: %d flows before, %d after; heap %+d bytes, %.2f for each strange flow"
                    .formatted(
                            entriesBefore, bridge.stats.outbound(Metric.FLOW_ENTRIES), heap, (double) heap / entries));
        }
    }

    /** Returns when the cache has as many flows as it ever will, give or take one in a thousand. */
    private static void fillCache(LoopbackBridge bridge, Traffic traffic) {
        long before;
        do {
            before = bridge.stats.outbound(Metric.FLOW_ENTRIES);
            traffic.await(PACKETS_OF_A_LOOK);
        } while (bridge.stats.outbound(Metric.FLOW_ENTRIES) > before + before / 1000);
    }

    /** What asking the policies costs for strange flows, timed as packets are. */
    private static Histogram classification(LoopbackBridge bridge, int entries) {
        Flow flow = new Flow();
        Histogram ns = new Histogram(3);
        int found = 0;
        // Twice: the first time compiles it.
        for (int i = 0; i < 2 * CLASSIFICATIONS; i++) {
            SampleEntries.fill(flow, SampleEntries.Kind.PREFIXED, -1 - entries - i);
            long start = System.nanoTime();
            found += bridge.lookUpPolicy(flow) == null ? 0 : 1;
            long took = System.nanoTime() - start;
            if (i >= CLASSIFICATIONS) {
                ns.recordValue(took);
            }
        }
        if (found == 0) {
            throw new IllegalStateException("no policy matches any flow");
        }
        return ns;
    }
}
