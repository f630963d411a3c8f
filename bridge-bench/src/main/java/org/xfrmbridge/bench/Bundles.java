package org.xfrmbridge.bench;

import java.util.List;
import org.xfrmbridge.km.Origin;
import org.xfrmbridge.km.XfrmException;
import org.xfrmbridge.xfrm.Direction;
import org.xfrmbridge.xfrm.IpProtocol;
import org.xfrmbridge.xfrm.PolicySpec;
import org.xfrmbridge.xfrm.Template;
import picocli.CommandLine.Command;

/** Many policies, each with three States of its own: AH over ESP over IPComp. An entry is a policy with its three. */
@Command(name = "bundles", description = "Many policies with several States each: AH over ESP over IPComp.")
final class Bundles extends Program {
    /** Long enough that compression pays. */
    private static final int PACKET_BYTES = 256;

    /** Innermost first. */
    private static final List<Template> TEMPLATES = List.of(
            TransportEntries.template(IpProtocol.COMP),
            TransportEntries.template(IpProtocol.ESP),
            TransportEntries.template(IpProtocol.AH));

    private static PolicySpec policy(int number) {
        return TransportEntries.toPeer(number, TEMPLATES);
    }

    private static void add(LoopbackBridge bridge, int number) throws XfrmException {
        int peer = TransportEntries.peer(number);
        bridge.engine.addState(TransportEntries.state(IpProtocol.COMP, peer, TransportEntries.CPI), Origin.KERNEL);
        bridge.engine.addState(
                TransportEntries.state(IpProtocol.ESP, peer, TransportEntries.FIRST_SPI + number), Origin.KERNEL);
        bridge.engine.addState(
                TransportEntries.state(IpProtocol.AH, peer, TransportEntries.FIRST_SPI + number), Origin.KERNEL);
        bridge.engine.addPolicy(policy(number), true, Origin.KERNEL);
    }

    private static void delete(LoopbackBridge bridge, int number) throws XfrmException {
        int peer = TransportEntries.peer(number);
        bridge.engine.deletePolicy(TransportEntries.key(policy(number)), Origin.KERNEL);
        bridge.engine.deleteState(
                TransportEntries.key(TransportEntries.state(IpProtocol.AH, peer, TransportEntries.FIRST_SPI + number)),
                Origin.KERNEL);
        bridge.engine.deleteState(
                TransportEntries.key(TransportEntries.state(IpProtocol.ESP, peer, TransportEntries.FIRST_SPI + number)),
                Origin.KERNEL);
        bridge.engine.deleteState(
                TransportEntries.key(TransportEntries.state(IpProtocol.COMP, peer, TransportEntries.CPI)),
                Origin.KERNEL);
    }

    @Override
    void run(int entries, Report into) throws XfrmException, InterruptedException {
        LoopbackBridge bridge = new LoopbackBridge();
        bridge.engine.addPolicy(TransportEntries.any(Direction.IN, TEMPLATES), true, Origin.KERNEL);
        int flows = flows(entries);
        timeNs(bridge, 0, flows, i -> add(bridge, i));
        Report.Changes done = new Report.Changes();
        try (Traffic traffic = new Traffic(
                bridge, (flow, packet) -> TransportEntries.fill(flow, (int) (packet % flows)), PACKET_BYTES)) {
            warm(traffic);
            Span span = new Span(flows, entries, i -> add(bridge, i), i -> delete(bridge, i));
            into.add("bundles", entries, "adding", grow(bridge, traffic, span, done), bridge);
            into.add("bundles", entries, "quiet", quiet(bridge, traffic), bridge);
        }
        int changes = Math.min(CHANGES, entries / 2);
        done.updateNs = timeNs(bridge, 0, changes, i -> bridge.engine.addPolicy(policy(i), false, Origin.KERNEL));
        done.updated = changes;
        done.deleteNs = timeNs(bridge, 0, changes, i -> delete(bridge, i));
        done.deleted = changes;
        long start = System.nanoTime();
        done.dumped = walk(bridge.engine.policies(PolicySpec.Type.MAIN));
        walk(bridge.engine.states(state -> true));
        long dumped = System.nanoTime();
        done.dumpNs = dumped - start;
        bridge.engine.flushPolicies(PolicySpec.Type.MAIN, Origin.KERNEL);
        bridge.engine.flushStates(IpProtocol.IPSEC_ANY, Origin.KERNEL);
        done.flushNs = System.nanoTime() - dumped;
        into.add("bundles", entries, done);
    }
}
