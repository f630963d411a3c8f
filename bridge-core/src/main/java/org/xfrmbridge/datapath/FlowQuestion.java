package org.xfrmbridge.datapath;

import java.util.ArrayList;
import java.util.List;
import org.xfrmbridge.datapath.PacketRecord.Decision;
import org.xfrmbridge.datapath.PacketRecord.Need;
import org.xfrmbridge.datapath.PacketRecord.Outcome;
import org.xfrmbridge.datapath.PacketRecord.Passage;
import org.xfrmbridge.db.Dump;
import org.xfrmbridge.io.HostNetwork.NextHop;
import org.xfrmbridge.xfrm.Address;
import org.xfrmbridge.xfrm.Direction;
import org.xfrmbridge.xfrm.Flow;
import org.xfrmbridge.xfrm.Policy;
import org.xfrmbridge.xfrm.State;
import org.xfrmbridge.xfrm.StateSpec;
import org.xfrmbridge.xfrm.Template;

/**
 * What would become of a packet now, without one: the same policies, States and routes are asked as for a real one.
 * Nothing changes by it: no key manager is asked, no use is noted. Control thread.
 */
public final class FlowQuestion {
    private final PathContext context;
    private final OutboundResolver resolver;
    private final PolicyCheck check;

    public FlowQuestion(PathContext shared) {
        context = shared.asking();
        PathCounters counters = new PathCounters();
        resolver = new OutboundResolver(context, counters, Steering.ALONE, new Identifications(0, 1));
        check = new PolicyCheck(context, counters, Steering.ALONE);
    }

    /**
     * @param flow all that is known of the packet; its interface is 0, or one that selectors may name
     * @return inbound, what would become of it in the clear
     */
    public PacketRecord ask(Direction direction, Flow flow) {
        Flow asked = new Flow().copyFrom(flow);
        if (!context.isInStack()) {
            asked.ifindex = context.ifindex();
        } else if (direction == Direction.IN) {
            asked.ifindex = FlowInterfaces.LOOPBACK;
        }
        return direction == Direction.OUT ? askOut(asked) : askIn(direction, asked);
    }

    private PacketRecord askOut(Flow flow) {
        OutboundResolver.Preview preview = resolver.preview(flow);
        DropCause cause = preview.cause();
        Need need = preview.need();
        NextHop nextHop = null;
        if (cause == null && !preview.states().isEmpty()) {
            StateSpec last = outermost(preview.states());
            int family = last == null ? flow.family : last.family();
            Address source = last == null ? flow.saddr() : last.saddr();
            Address destination = last == null ? flow.daddr() : last.id().daddr();
            nextHop = context.network().resolve(family, source, destination, 0);
            if (nextHop == null && last != null) {
                cause = DropCause.OUT_NO_WAY;
                need = new Need(null, null, preview.states().getLast(), destination, null);
            }
        }
        List<Passage> passages = new ArrayList<>();
        preview.states().forEach(state -> passages.add(Passage.of(state, 0)));
        Outcome outcome = passages.isEmpty() ? Outcome.PASSED : Outcome.PROTECTED;
        int mtuBytes = nextHop == null ? 0 : nextHop.mtuBytes();
        return answer(Direction.OUT, flow, cause, outcome, preview.policies(), need, passages, mtuBytes);
    }

    /** The last State that puts a header in front; null if the packet keeps its own. */
    private static StateSpec outermost(List<State> states) {
        return states.reversed().stream()
                .map(State::spec)
                .filter(spec -> spec.mode().hasOuterHeader())
                .findFirst()
                .orElse(null);
    }

    private PacketRecord askIn(Direction direction, Flow flow) {
        PolicyCheck.Verdict verdict =
                check.decide(direction, flow, new SecPath(), context.clock().epochSeconds());
        Need need = verdict.unmet() == null ? null : new Need(verdict.policies()[0], verdict.unmet(), null, null, null);
        return answer(direction, flow, verdict.cause(), Outcome.PASSED, verdict.policies(), need, List.of(), 0);
    }

    private PacketRecord answer(
            Direction direction,
            Flow flow,
            DropCause cause,
            Outcome outcome,
            Policy[] policies,
            Need need,
            List<Passage> passages,
            int mtuBytes) {
        return new PacketRecord(
                context.clock().nowNs(),
                direction,
                cause == null ? outcome : Outcome.DROPPED,
                cause,
                flow,
                0,
                0,
                Decision.RESOLVED,
                List.of(policies),
                need,
                passages,
                0,
                0,
                false,
                null,
                mtuBytes,
                null,
                null);
    }

    /** The valid States that an inbound packet may come through for a template, {@code most} at most. */
    public List<State> serving(Template template, int family, int most) {
        Dump<State> all =
                context.sad().walk(state -> state.isValid() && PolicyCheck.serves(state.spec(), template, family));
        List<State> serving = new ArrayList<>();
        for (State state = all.next(); state != null && serving.size() < most; state = all.next()) {
            serving.add(state);
        }
        return serving;
    }
}
