package org.xfrmbridge.bench;

import java.util.List;
import org.xfrmbridge.km.Origin;
import org.xfrmbridge.km.XfrmException;
import org.xfrmbridge.xfrm.Direction;
import org.xfrmbridge.xfrm.IpProtocol;
import org.xfrmbridge.xfrm.StateSpec;
import org.xfrmbridge.xfrm.Template;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/**
 * All States are replaced while packets flow through some of them: the new one is added, and the old one goes once no
 * packet can be on its way in it. No packet is lost, and each one that leaves after an add leaves through the new
 * State.
 */
@Command(name = "rekey-storm", description = "Replaces 100,000 States, or all if there are fewer, while packets flow.")
final class RekeyStorm extends Program {
    private static final int BATCH = 64;
    private static final List<Template> ESP = List.of(TransportEntries.template(IpProtocol.ESP));

    @Option(names = "--replace", description = "how many are replaced at most (default: ${DEFAULT-VALUE})")
    private int replaced = 100_000;

    private static StateSpec spec(int number, int generation) {
        int spi = TransportEntries.FIRST_SPI + 2 * number + generation;
        return TransportEntries.state(IpProtocol.ESP, TransportEntries.peer(number), spi);
    }

    @Override
    void run(int entries, Report into) throws XfrmException, InterruptedException {
        LoopbackBridge bridge = new LoopbackBridge();
        bridge.engine.addPolicy(TransportEntries.any(Direction.OUT, ESP), true, Origin.KERNEL);
        bridge.engine.addPolicy(TransportEntries.any(Direction.IN, ESP), true, Origin.KERNEL);
        Report.Changes done = new Report.Changes();
        long heapEmpty = Report.usedHeapBytes();
        timeNs(bridge, 0, entries, i -> bridge.engine.addState(spec(i, 0), Origin.KERNEL));
        done.heapBytes = Report.usedHeapBytes() - heapEmpty;
        done.held = entries;
        int flows = flows(entries);
        int storm = Math.min(replaced, entries);
        // Flows over all that are replaced.
        int step = storm / flows;
        try (Traffic traffic =
                new Traffic(bridge, (flow, packet) -> TransportEntries.fill(flow, (int) (packet % flows) * step), 64)) {
            warm(traffic);
            into.add("rekey-storm", entries, "quiet", quiet(bridge, traffic), bridge);
            long heapBefore = Report.usedHeapBytes();
            traffic.resume();
            traffic.startLap();
            for (int generation = 1; done.addNs + done.deleteNs < LEAST_NS; generation ^= 1) {
                replace(bridge, traffic, storm, generation, done);
            }
            into.add("rekey-storm", entries, "storm", traffic.lap(), bridge);
            into.add("rekey-storm", entries, "after", quiet(bridge, traffic), bridge);
            into.note("%d States after %d were replaced: heap %+.1f bytes for each"
                    .formatted(entries, done.added, (double) (Report.usedHeapBytes() - heapBefore) / entries));
        }
        into.add("rekey-storm", entries, done);
    }

    /** @param generation 0 or 1, of those that come; the others go */
    private static void replace(LoopbackBridge bridge, Traffic traffic, int count, int generation, Report.Changes done)
            throws XfrmException {
        for (int first = 0; first < count; first += BATCH) {
            int end = Math.min(first + BATCH, count);
            done.addNs += timeNs(bridge, first, end, i -> bridge.engine.addState(spec(i, generation), Origin.KERNEL));
            // One that was sealed before may still have to be opened.
            traffic.await(2);
            done.deleteNs += timeNs(
                    bridge,
                    first,
                    end,
                    i -> bridge.engine.deleteState(TransportEntries.key(spec(i, 1 - generation)), Origin.KERNEL));
        }
        done.added += count;
        done.deleted += count;
    }
}
