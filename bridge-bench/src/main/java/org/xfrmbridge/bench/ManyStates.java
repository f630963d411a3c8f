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
final class ManyStates extends Program {
    private enum Shape {
        /** Each State has a peer of its own. */
        PEERS,
        /** All States are between the same two hosts: every add changes what its packets use. */
        PAIR;

        int peer(int number) {
            return Loads.peer(this == PAIR ? 0 : number);
        }

        StateSpec spec(int number) {
            return Loads.state(IpProtocol.ESP, peer(number), Loads.FIRST_SPI + number);
        }
    }

    /** Between packets of one pair: a used State has ciphers of its own, and a million of those are another test. */
    private static final long PAIR_REST_NS = 1_000_000;

    @Override
    void run(int entries, Report into) throws XfrmException, InterruptedException {
        for (Shape shape : Shape.values()) {
            run(shape, entries, into);
        }
    }

    private void run(Shape shape, int entries, Report into) throws XfrmException, InterruptedException {
        LoopbackBridge site = new LoopbackBridge();
        int flows = shape == Shape.PAIR ? 1 : flows(entries);
        site.engine.addPolicy(Loads.any(Direction.OUT, List.of(Loads.template(IpProtocol.ESP))), true, Origin.KERNEL);
        site.engine.addPolicy(Loads.any(Direction.IN, List.of(Loads.template(IpProtocol.ESP))), true, Origin.KERNEL);
        Change add = i -> site.engine.addState(shape.spec(i), Origin.KERNEL);
        timeNs(site, 0, flows, add);
        String name = "one-policy " + shape.name().toLowerCase(Locale.ROOT);
        Report.Changes done = new Report.Changes();
        try (Traffic traffic = new Traffic(site, (flow, packet) -> Loads.fill(flow, (int) (packet % flows)), 64)) {
            warm(traffic);
            traffic.rest(shape == Shape.PAIR ? PAIR_REST_NS : 0);
            Span span = new Span(
                    flows, entries, add, i -> site.engine.deleteState(Loads.key(shape.spec(i)), Origin.KERNEL));
            into.add(name, entries, "adding", grow(site, traffic, span, done), site);
            traffic.rest(0);
            into.add(name, entries, "quiet", quiet(site, traffic), site);
        }
        change(site, shape, entries, done);
        into.add(name, entries, done);
    }

    private static void change(LoopbackBridge site, Shape shape, int entries, Report.Changes done)
            throws XfrmException {
        int changes = Math.min(CHANGES, entries / 2);
        done.updateNs = timeNs(site, 0, changes, i -> site.engine.updateState(shape.spec(i), Origin.KERNEL));
        done.updated = changes;
        done.deleteNs = timeNs(site, 0, changes, i -> site.engine.deleteState(Loads.key(shape.spec(i)), Origin.KERNEL));
        done.deleted = changes;
        long start = System.nanoTime();
        done.dumped = walk(site.engine.states(state -> true));
        long dumped = System.nanoTime();
        done.dumpNs = dumped - start;
        site.engine.flushStates(IpProtocol.IPSEC_ANY, Origin.KERNEL);
        done.flushNs = System.nanoTime() - dumped;
    }
}
