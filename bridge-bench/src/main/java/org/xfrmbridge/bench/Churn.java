package org.xfrmbridge.bench;

import java.util.List;
import java.util.Locale;
import org.xfrmbridge.km.Origin;
import org.xfrmbridge.km.XfrmException;
import org.xfrmbridge.xfrm.Direction;
import org.xfrmbridge.xfrm.IpProtocol;
import org.xfrmbridge.xfrm.Template;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/**
 * States and policies come and go all the time, others than those of the packets that flow: none of these may be lost,
 * and the less they notice the better. Once as fast as it goes, and once as many a second as a busy gateway has.
 */
@Command(name = "churn", description = "Adds and deletes while packets flow through States and policies that stay.")
final class Churn extends Program {
    private enum Kind {
        STATES,
        POLICIES,
        BOTH
    }

    private static final List<Template> ESP = List.of(TransportEntries.template(IpProtocol.ESP));

    @Option(
            names = "--changes",
            description = "adds and deletes of the slow stretch in a second (default: ${DEFAULT-VALUE})")
    private int slowPerSecond = 1000;

    @Option(names = "--stretch", description = "seconds of each stretch (default: ${DEFAULT-VALUE})")
    private double seconds = 2;

    @Override
    void run(int entries, Report into) throws XfrmException, InterruptedException {
        for (Kind kind : Kind.values()) {
            run(kind, entries, into);
        }
    }

    private static void add(LoopbackBridge bridge, Kind kind, int number) throws XfrmException {
        if (kind != Kind.POLICIES) {
            bridge.engine.addState(
                    TransportEntries.state(
                            IpProtocol.ESP, TransportEntries.peer(number), TransportEntries.FIRST_SPI + number),
                    Origin.KERNEL);
        }
        if (kind != Kind.STATES) {
            bridge.engine.addPolicy(TransportEntries.toPeer(number, ESP), true, Origin.KERNEL);
        }
    }

    private static void delete(LoopbackBridge bridge, Kind kind, int number) throws XfrmException {
        if (kind != Kind.STATES) {
            bridge.engine.deletePolicy(TransportEntries.key(TransportEntries.toPeer(number, ESP)), Origin.KERNEL);
        }
        if (kind != Kind.POLICIES) {
            bridge.engine.deleteState(
                    TransportEntries.key(TransportEntries.state(
                            IpProtocol.ESP, TransportEntries.peer(number), TransportEntries.FIRST_SPI + number)),
                    Origin.KERNEL);
        }
    }

    private void run(Kind kind, int entries, Report into) throws XfrmException, InterruptedException {
        LoopbackBridge bridge = new LoopbackBridge();
        bridge.engine.addPolicy(TransportEntries.any(Direction.IN, ESP), true, Origin.KERNEL);
        int flows = flows(entries);
        timeNs(bridge, 0, flows, i -> add(bridge, Kind.BOTH, i));
        long heapBefore = Report.usedHeapBytes();
        timeNs(bridge, flows, entries, i -> add(bridge, kind, i));
        long heapBytes = Report.usedHeapBytes() - heapBefore;
        String name = "churn " + kind.name().toLowerCase(Locale.ROOT);
        try (Traffic traffic =
                new Traffic(bridge, (flow, packet) -> TransportEntries.fill(flow, (int) (packet % flows)), 64)) {
            warm(traffic);
            into.add(name, entries, "quiet", quiet(bridge, traffic), bridge);
            churn(bridge, kind, new Pace(flows, entries, Long.MAX_VALUE), new Report.Changes());
            traffic.resume();
            meetAll(traffic);
            traffic.startLap();
            churn(bridge, kind, new Pace(flows, entries, slowPerSecond), new Report.Changes());
            into.add(name, entries, "%d/s".formatted(slowPerSecond), traffic.lap(), bridge);
            Report.Changes done = new Report.Changes();
            done.heapBytes = heapBytes;
            done.held = entries - flows;
            churn(bridge, kind, new Pace(flows, entries, Long.MAX_VALUE), done);
            into.add(name, entries, "full", traffic.lap(), bridge);
            into.add(name, entries, done);
        }
    }

    /** Which entries come and go, and how many changes a second. */
    private record Pace(int first, int end, long perSecond) {}

    /** Deletes the oldest and adds it again, one after the other. */
    private void churn(LoopbackBridge bridge, Kind kind, Pace pace, Report.Changes done) throws XfrmException {
        long start = System.nanoTime();
        long changes = 0;
        for (int i = pace.first;
                System.nanoTime() - start < seconds * 1e9;
                i = i + 1 == pace.end ? pace.first : i + 1) {
            long before = System.nanoTime();
            delete(bridge, kind, i);
            long deleted = System.nanoTime();
            add(bridge, kind, i);
            done.deleteNs += deleted - before;
            done.addNs += System.nanoTime() - deleted;
            changes += 2;
            bridge.turn();
            while (pace.perSecond != Long.MAX_VALUE && (System.nanoTime() - start) * pace.perSecond < changes * 1e9) {
                Thread.onSpinWait();
            }
        }
        done.added = changes / 2;
        done.deleted = changes / 2;
    }
}
