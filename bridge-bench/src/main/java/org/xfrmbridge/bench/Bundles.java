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
    private static final List<Template> TEMPLATES =
            List.of(Loads.template(IpProtocol.COMP), Loads.template(IpProtocol.ESP), Loads.template(IpProtocol.AH));

    private static PolicySpec policy(int number) {
        return Loads.toPeer(number, TEMPLATES);
    }

    private static void add(LoopbackBridge site, int number) throws XfrmException {
        int peer = Loads.peer(number);
        site.engine.addState(Loads.state(IpProtocol.COMP, peer, Loads.CPI), Origin.KERNEL);
        site.engine.addState(Loads.state(IpProtocol.ESP, peer, Loads.FIRST_SPI + number), Origin.KERNEL);
        site.engine.addState(Loads.state(IpProtocol.AH, peer, Loads.FIRST_SPI + number), Origin.KERNEL);
        site.engine.addPolicy(policy(number), true, Origin.KERNEL);
    }

    private static void delete(LoopbackBridge site, int number) throws XfrmException {
        int peer = Loads.peer(number);
        site.engine.deletePolicy(Loads.key(policy(number)), Origin.KERNEL);
        site.engine.deleteState(Loads.key(Loads.state(IpProtocol.AH, peer, Loads.FIRST_SPI + number)), Origin.KERNEL);
        site.engine.deleteState(Loads.key(Loads.state(IpProtocol.ESP, peer, Loads.FIRST_SPI + number)), Origin.KERNEL);
        site.engine.deleteState(Loads.key(Loads.state(IpProtocol.COMP, peer, Loads.CPI)), Origin.KERNEL);
    }

    @Override
    void run(int entries, Report into) throws XfrmException, InterruptedException {
        LoopbackBridge site = new LoopbackBridge();
        site.engine.addPolicy(Loads.any(Direction.IN, TEMPLATES), true, Origin.KERNEL);
        int flows = flows(entries);
        timeNs(site, 0, flows, i -> add(site, i));
        Report.Changes done = new Report.Changes();
        try (Traffic traffic =
                new Traffic(site, (flow, packet) -> Loads.fill(flow, (int) (packet % flows)), PACKET_BYTES)) {
            warm(traffic);
            Span span = new Span(flows, entries, i -> add(site, i), i -> delete(site, i));
            into.add("bundles", entries, "adding", grow(site, traffic, span, done), site);
            into.add("bundles", entries, "quiet", quiet(site, traffic), site);
        }
        int changes = Math.min(CHANGES, entries / 2);
        done.updateNs = timeNs(site, 0, changes, i -> site.engine.addPolicy(policy(i), false, Origin.KERNEL));
        done.updated = changes;
        done.deleteNs = timeNs(site, 0, changes, i -> delete(site, i));
        done.deleted = changes;
        long start = System.nanoTime();
        done.dumped = walk(site.engine.policies(PolicySpec.Type.MAIN));
        walk(site.engine.states(state -> true));
        long dumped = System.nanoTime();
        done.dumpNs = dumped - start;
        site.engine.flushPolicies(PolicySpec.Type.MAIN, Origin.KERNEL);
        site.engine.flushStates(IpProtocol.IPSEC_ANY, Origin.KERNEL);
        done.flushNs = System.nanoTime() - dumped;
        into.add("bundles", entries, done);
    }
}
