package org.xfrmbridge.bench;

import java.util.List;
import java.util.Locale;
import org.xfrmbridge.km.Origin;
import org.xfrmbridge.km.XfrmException;
import org.xfrmbridge.xfrm.Direction;
import org.xfrmbridge.xfrm.IpProtocol;
import org.xfrmbridge.xfrm.StateSpec;
import picocli.CommandLine.Command;

/**
 * One policy for everything, and a State per peer; or all of them between the same two hosts, where each is a better
 * match than the one before.
 */
@Command(name = "one-policy", description = "One policy, many States.")
final class OnePolicy extends Program {
    private enum Variant {
        /** Each State has a peer of its own. */
        PEERS,
        /** All States are between the same two hosts: every add changes what its packets use. */
        PAIR;

        int peer(int number) {
            return TransportEntries.peer(this == PAIR ? 0 : number);
        }

        StateSpec spec(int number) {
            return TransportEntries.state(IpProtocol.ESP, peer(number), TransportEntries.FIRST_SPI + number);
        }
    }

    /** Between packets of one pair: a used State has ciphers of its own, and a million of those are another test. */
    private static final long PAIR_REST_NS = 1_000_000;

    @Override
    void run(int entries, Report into) throws XfrmException, InterruptedException {
        for (Variant variant : Variant.values()) {
            run(variant, entries, into);
        }
    }

    private void run(Variant variant, int entries, Report into) throws XfrmException, InterruptedException {
        LoopbackBridge bridge = new LoopbackBridge();
        int flows = variant == Variant.PAIR ? 1 : flows(entries);
        bridge.engine.addPolicy(
                TransportEntries.any(Direction.OUT, List.of(TransportEntries.template(IpProtocol.ESP))),
                true,
                Origin.KERNEL);
        bridge.engine.addPolicy(
                TransportEntries.any(Direction.IN, List.of(TransportEntries.template(IpProtocol.ESP))),
                true,
                Origin.KERNEL);
        Change add = i -> bridge.engine.addState(variant.spec(i), Origin.KERNEL);
        timeNs(bridge, 0, flows, add);
        String name = "one-policy " + variant.name().toLowerCase(Locale.ROOT);
        Report.Changes done = new Report.Changes();
        try (Traffic traffic =
                new Traffic(bridge, (flow, packet) -> TransportEntries.fill(flow, (int) (packet % flows)), 64)) {
            warm(traffic);
            traffic.rest(variant == Variant.PAIR ? PAIR_REST_NS : 0);
            Span span = new Span(
                    flows,
                    entries,
                    add,
                    i -> bridge.engine.deleteState(TransportEntries.key(variant.spec(i)), Origin.KERNEL));
            into.add(name, entries, "adding", grow(bridge, traffic, span, done), bridge);
            traffic.rest(0);
            into.add(name, entries, "quiet", quiet(bridge, traffic), bridge);
        }
        change(bridge, variant, entries, done);
        into.add(name, entries, done);
    }

    private static void change(LoopbackBridge bridge, Variant variant, int entries, Report.Changes done)
            throws XfrmException {
        int changes = Math.min(CHANGES, entries / 2);
        done.updateNs = timeNs(bridge, 0, changes, i -> bridge.engine.updateState(variant.spec(i), Origin.KERNEL));
        done.updated = changes;
        done.deleteNs = timeNs(
                bridge,
                0,
                changes,
                i -> bridge.engine.deleteState(TransportEntries.key(variant.spec(i)), Origin.KERNEL));
        done.deleted = changes;
        long start = System.nanoTime();
        done.dumped = walk(bridge.engine.states(state -> true));
        long dumped = System.nanoTime();
        done.dumpNs = dumped - start;
        bridge.engine.flushStates(IpProtocol.IPSEC_ANY, Origin.KERNEL);
        done.flushNs = System.nanoTime() - dumped;
    }
}
