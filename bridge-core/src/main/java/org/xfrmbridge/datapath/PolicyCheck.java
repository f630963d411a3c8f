package org.xfrmbridge.datapath;

import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import org.xfrmbridge.db.FlowCache;
import org.xfrmbridge.esp.AlgorithmKind;
import org.xfrmbridge.esp.AlgorithmTable;
import org.xfrmbridge.xfrm.AddressFamily;
import org.xfrmbridge.xfrm.Direction;
import org.xfrmbridge.xfrm.Flow;
import org.xfrmbridge.xfrm.IpProtocol;
import org.xfrmbridge.xfrm.Mode;
import org.xfrmbridge.xfrm.Policy;
import org.xfrmbridge.xfrm.PolicySpec;
import org.xfrmbridge.xfrm.Selector;
import org.xfrmbridge.xfrm.State;
import org.xfrmbridge.xfrm.StateSpec;
import org.xfrmbridge.xfrm.Template;

/**
 * Whether an inbound packet came the way its policy wants: the kernel's {@code __xfrm_policy_check}. The answer is remembered with the flow
 * and the State it came through, so that a known flow costs one lookup. Inbound thread only.
 */
final class PolicyCheck {
    static final int CACHED_FLOWS = 1 << 14;
    private static final int NO_MATCH = -1;

    private final PathContext context;
    private final PathCounters counters;
    private final FlowCache<Verdict> verdicts = new FlowCache<>(CACHED_FLOWS, new SecureRandom().nextLong());
    private final List<Policy> policies = new ArrayList<>();

    /**
     * @param reason null if the packet may go on
     * @param encapsulationType what the socket that the packet is for wants taken off, 0 for nothing
     * @param state the one State of the security path, null if it is empty
     */
    record Verdict(
            DropReason reason,
            int encapsulationType,
            Direction direction,
            State state,
            StateSpec stateSpec,
            Policy[] policies,
            int spd,
            int sockets) {}

    PolicyCheck(PathContext context, PathCounters counters) {
        this.context = context;
        this.counters = counters;
    }

    int size() {
        return verdicts.size();
    }

    Verdict judge(Direction direction, Flow flow, SecPath path, long nowSeconds) {
        counters.add(Metric.LOOKUPS, 1);
        Verdict verdict = verdicts.get(flow);
        if (verdict == null || !holds(verdict, direction, path)) {
            verdict = decide(direction, flow, path);
            verdicts.put(flow, verdict);
        }
        for (Policy policy : verdict.policies) {
            policy.usage().touch(nowSeconds);
        }
        return verdict;
    }

    private boolean holds(Verdict verdict, Direction direction, SecPath path) {
        State state = path.last();
        return path.length() <= 1
                && verdict.state == state
                && verdict.direction == direction
                && (state == null || verdict.stateSpec == state.spec())
                && verdict.spd == context.spd().generation()
                && verdict.sockets == context.sockets().generation();
    }

    private Verdict decide(Direction direction, Flow flow, SecPath path) {
        // Read before anything is asked: what changes in the meantime makes the answer stale, not wrong.
        int spd = context.spd().generation();
        int sockets = context.sockets().generation();
        State state = path.last();
        StateSpec stateSpec = state == null ? null : state.spec();
        policies.clear();
        DropReason reason = reason(direction, flow, path);
        int encapsulationType = direction == Direction.IN && flow.protocol == IpProtocol.UDP ? encapsulationType(flow) : 0;
        return new Verdict(reason, encapsulationType, direction, state, stateSpec, policies.toArray(new Policy[0]), spd, sockets);
    }

    private int encapsulationType(Flow flow) {
        counters.add(Metric.LOOKUPS, 1);
        return context.sockets().encapsulationType(flow.family, flow.daddrHigh, flow.daddrLow, flow.dport);
    }

    private DropReason reason(Direction direction, Flow flow, SecPath path) {
        for (int i = path.length() - 1; i >= 0; i--) {
            if (!matches(path.get(i).spec().selector(), flow)) {
                return DropReason.IN_STATE_MISMATCH;
            }
        }
        find(direction, flow);
        if (policies.isEmpty()) {
            boolean blocked = context.spd().defaultAction(direction) == PolicySpec.Action.BLOCK;
            return blocked || hasTunnel(path, 0) ? DropReason.IN_NO_POLS : null;
        }
        for (Policy policy : policies) {
            if (policy.spec().action() != PolicySpec.Action.ALLOW) {
                return DropReason.IN_POL_BLOCK;
            }
        }
        return compare(flow, path);
    }

    /** A State of no family (XFRM_STATE_AF_UNSPEC) takes the addresses of either. */
    private static boolean matches(Selector selector, Flow flow) {
        return selector.matches(flow, selector.family() == AddressFamily.UNSPEC ? AddressFamily.UNSPEC : flow.family);
    }

    private void find(Direction direction, Flow flow) {
        counters.add(Metric.LOOKUPS, 1);
        Policy first = context.sockets().lookup(direction, flow);
        if (first == null && !context.spd().isEmpty(direction)) {
            first = lookup(PolicySpec.Type.SUB, direction, flow);
            first = first == null ? lookup(PolicySpec.Type.MAIN, direction, flow) : first;
        }
        if (first == null) {
            return;
        }
        policies.add(first);
        if (first.spec().type() == PolicySpec.Type.SUB) {
            // The kernel asks for dir in even where the first was of dir fwd.
            Policy main = lookup(PolicySpec.Type.MAIN, Direction.IN, flow);
            if (main != null) {
                policies.add(main);
            }
        }
    }

    private Policy lookup(PolicySpec.Type type, Direction direction, Flow flow) {
        counters.add(Metric.LOOKUPS, 1);
        return context.spd().lookup(type, direction, flow);
    }

    /** Each template wants its State, in order, outermost first; a tunnel that no template asked for is refused. */
    private DropReason compare(Flow flow, SecPath path) {
        List<Template> templates = new ArrayList<>();
        for (Policy policy : policies) {
            if (templates.size() + policy.spec().templates().size() >= Template.MAX_DEPTH) {
                return DropReason.IN_BUFFER_ERROR;
            }
            templates.addAll(policy.spec().templates());
        }
        if (policies.size() > 1 && flow.family == AddressFamily.INET6) {
            templates.sort(Comparator.comparing(template -> template.mode().hasOuterHeader()));
        }
        int next = 0;
        for (Template template : templates.reversed()) {
            next = match(template, path, next);
            if (next == NO_MATCH) {
                return DropReason.IN_TMPL_MISMATCH;
            }
        }
        return hasTunnel(path, next) ? DropReason.IN_TMPL_MISMATCH : null;
    }

    /** Where to go on in the path after this template, {@code xfrm_policy_ok}. */
    private static int match(Template template, SecPath path, int start) {
        if (template.optional() && template.mode() == Mode.TRANSPORT) {
            return start;
        }
        for (int i = start; i < path.length(); i++) {
            StateSpec state = path.get(i).spec();
            if (serves(state, template)) {
                return i + 1;
            }
            if (state.mode() != Mode.TRANSPORT) {
                break;
            }
        }
        return template.optional() ? start : NO_MATCH;
    }

    /** {@code xfrm_state_ok}. Of the ends a kernel compares the source alone: the packet has come to the destination already. */
    private static boolean serves(StateSpec state, Template template) {
        boolean anySource = state.mode() == Mode.TRANSPORT || template.saddr().isAny(state.family());
        return state.id().protocol() == template.id().protocol()
                && (template.id().spi() == 0 || state.id().spi() == template.id().spi())
                && (template.reqid() == 0 || state.reqid() == template.reqid())
                && state.mode() == template.mode()
                && isAlgorithmAllowed(state, template)
                && (anySource || template.saddr().equalsAs(state.saddr(), state.family()));
    }

    /** Masks other than "all" name authentication algorithms by their PF_KEY number. */
    private static boolean isAlgorithmAllowed(StateSpec state, Template template) {
        if (template.allAlgorithms()) {
            return true;
        }
        int number = state.auth() == null
                ? 0
                : AlgorithmTable.find(AlgorithmKind.AUTH, state.auth().name())
                        .map(entry -> entry.pfKey() == null ? 0 : entry.pfKey().algId())
                        .orElse(0);
        return (template.authMask() & 1 << number) != 0;
    }

    private static boolean hasTunnel(SecPath path, int from) {
        for (int i = from; i < path.length(); i++) {
            if (path.get(i).spec().mode() != Mode.TRANSPORT) {
                return true;
            }
        }
        return false;
    }
}
