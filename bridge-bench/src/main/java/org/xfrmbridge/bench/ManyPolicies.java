package org.xfrmbridge.bench;

import java.util.List;
import java.util.Locale;
import org.xfrmbridge.km.Origin;
import org.xfrmbridge.km.XfrmException;
import org.xfrmbridge.xfrm.Direction;
import org.xfrmbridge.xfrm.Flow;
import org.xfrmbridge.xfrm.IpProtocol;
import org.xfrmbridge.xfrm.PolicySpec;
import org.xfrmbridge.xfrm.Template;
import picocli.CommandLine.Command;

/**
 * Many policies, exact or with prefixes, for which one State per pair of hosts serves. Packets are classified anew
 * after every change.
 */
@Command(
        name = "many-policies",
        description = "Many policies: exact ones, networks of 24 bits, prefixes of random lengths.")
final class ManyPolicies extends Program {
    private static final List<SampleEntries.Kind> KINDS =
            List.of(SampleEntries.Kind.EXACT, SampleEntries.Kind.NETWORKS, SampleEntries.Kind.PREFIXED);

    private static final int CLASSIFICATIONS = 200_000;

    @Override
    void run(int entries, Report into) throws XfrmException, InterruptedException {
        for (SampleEntries.Kind kind : KINDS) {
            run(kind, entries, into);
        }
    }

    private static PolicySpec spec(SampleEntries.Kind kind, int number) {
        return SampleEntries.policy(kind, number).withTemplates(List.of(TransportEntries.template(IpProtocol.ESP)));
    }

    private void run(SampleEntries.Kind kind, int entries, Report into) throws XfrmException, InterruptedException {
        LoopbackBridge bridge = new LoopbackBridge();
        List<Template> esp = List.of(TransportEntries.template(IpProtocol.ESP));
        bridge.engine.addPolicy(TransportEntries.any(Direction.OUT, esp), true, Origin.KERNEL);
        bridge.engine.addPolicy(TransportEntries.any(Direction.IN, esp), true, Origin.KERNEL);
        int flows = flows(entries);
        for (int i = 0; i < flows; i++) {
            Flow flow = new Flow();
            SampleEntries.fill(flow, kind, i);
            bridge.engine.addState(
                    TransportEntries.state(IpProtocol.ESP, flow.saddr(), flow.daddr(), TransportEntries.FIRST_SPI + i),
                    Origin.KERNEL);
        }
        Change add = i -> bridge.engine.addPolicy(spec(kind, i), false, Origin.KERNEL);
        timeNs(bridge, 0, flows, add);
        String name = "many-policies " + kind.name().toLowerCase(Locale.ROOT);
        Report.Changes done = new Report.Changes();
        Turnover turnover = new Turnover(bridge, kind, flows);
        try (Traffic traffic = new Traffic(bridge, turnover, 64)) {
            warm(traffic);
            turnover.share();
            Span span = new Span(flows, entries, add, i -> delete(bridge, spec(kind, i)));
            into.add(name, entries, "adding", grow(bridge, traffic, span, done), bridge);
            into.turnover(name, entries, turnover.share());
            into.add(name, entries, "quiet", quiet(bridge, traffic), bridge);
        }
        into.classification(name, entries, classificationNs(bridge, kind, flows));
        change(bridge, kind, entries, done);
        into.add(name, entries, done);
    }

    private static void change(LoopbackBridge bridge, SampleEntries.Kind kind, int entries, Report.Changes done)
            throws XfrmException {
        int changes = Math.min(CHANGES, entries / 2);
        done.updateNs = timeNs(bridge, 0, changes, i -> bridge.engine.addPolicy(spec(kind, i), false, Origin.KERNEL));
        done.updated = changes;
        int before = bridge.databases.spd().count(Direction.OUT);
        done.deleteNs = timeNs(bridge, 0, changes, i -> delete(bridge, spec(kind, i)));
        done.deleted = before - bridge.databases.spd().count(Direction.OUT);
        long start = System.nanoTime();
        done.dumped = walk(bridge.engine.policies(PolicySpec.Type.MAIN));
        long dumped = System.nanoTime();
        done.dumpNs = dumped - start;
        bridge.engine.flushPolicies(PolicySpec.Type.MAIN, Origin.KERNEL);
        done.flushNs = System.nanoTime() - dumped;
    }

    /**
     * What asking the policies costs for the flows that packets came of, without all else: what the kernel's figure is
     * to be compared with.
     */
    private static double classificationNs(LoopbackBridge bridge, SampleEntries.Kind kind, int flows) {
        Flow flow = new Flow();
        long start = 0;
        for (int i = -CLASSIFICATIONS; i < CLASSIFICATIONS; i++) {
            start = i == 0 ? System.nanoTime() : start;
            SampleEntries.fill(flow, kind, Math.floorMod(i, flows));
            if (bridge.lookUpPolicy(flow) == null) {
                throw new IllegalStateException("there is a policy for everything");
            }
        }
        return (double) (System.nanoTime() - start) / CLASSIFICATIONS;
    }

    /** Random policies of short prefixes may be the same one, and gone. */
    private static void delete(LoopbackBridge bridge, PolicySpec spec) throws XfrmException {
        if (bridge.databases.spd().get(TransportEntries.key(spec)) != null) {
            bridge.engine.deletePolicy(TransportEntries.key(spec), Origin.KERNEL);
        }
    }
}
