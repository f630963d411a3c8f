package org.xfrmbridge.datapath;

import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import org.xfrmbridge.db.FlowCache;
import org.xfrmbridge.db.PolicyFreshness;
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
import org.xfrmbridge.xfrm.StateFlags;
import org.xfrmbridge.xfrm.StateSpec;
import org.xfrmbridge.xfrm.Template;

/**
 * Whether an inbound packet came the way its policy wants: the kernel's {@code __xfrm_policy_check}. The answer is
 * remembered with the flow and the States it came through, so that a known flow costs one lookup, and none where a
 * State remembers it. Inbound thread only.
 */
final class PolicyCheck {
    private static final int NO_MATCH = -1;

    private final PathContext context;
    private final PathCounters counters;
    private final Steering steering;
    private final SocketPolicyFinder sockets;
    private final FlowInterfaces interfaces;
    private final FlowCache<Verdict> verdicts;
    private final List<Policy> policies = new ArrayList<>();
    private Template unmet;
    private boolean decided;

    /**
     * @param cause null if the packet may go on
     * @param unmet the template that no State served; null if it is not for that
     * @param encapsulationType what the socket that the packet is for wants taken off, 0 for nothing
     * @param flow the packet's, a copy
     * @param generation of the network, before anything was asked
     * @param isDisabled whether policies did not apply to the flow's family
     * @param path the States it came through, with their specs
     * @param freshness what was current before the policies were asked
     * @param validUntilSeconds the last second in which it is good
     */
    record Verdict(
            DropCause cause,
            Template unmet,
            int encapsulationType,
            Direction direction,
            Flow flow,
            int generation,
            boolean isDisabled,
            State[] path,
            StateSpec[] specs,
            Policy[] policies,
            PolicyFreshness freshness,
            long validUntilSeconds) {}

    PolicyCheck(PathContext context, PathCounters counters, Steering steering) {
        this.context = context;
        this.counters = counters;
        this.steering = steering;
        sockets = new SocketPolicyFinder(context);
        interfaces = new FlowInterfaces(context);
        verdicts = new FlowCache<>(context.flowSlots(), new SecureRandom().nextLong());
    }

    int size() {
        return verdicts.size();
    }

    /** Whether the last verdict was worked out, and not remembered. */
    boolean hasDecided() {
        return decided;
    }

    /** Asks the cache that all flows share, and if need be the policies. */
    Verdict judge(Direction direction, Flow flow, SecPath path, long nowSeconds) {
        counters.add(Metric.LOOKUPS, 1);
        Verdict verdict = verdicts.get(flow);
        decided = false;
        if (verdict == null || !holds(verdict, direction, path, nowSeconds)) {
            verdict = decide(direction, flow, path, nowSeconds);
            decided = true;
            verdicts.put(flow, verdict);
        }
        touch(verdict, nowSeconds);
        return verdict;
    }

    /** Asks what a State remembers before it asks the cache, which costs no lookup. */
    Verdict judge(Direction direction, Flow flow, SecPath path, VerdictCache cache, long nowSeconds) {
        Verdict verdict = cache.get(flow);
        decided = false;
        if (verdict != null && holds(verdict, direction, path, nowSeconds)) {
            touch(verdict, nowSeconds);
            return verdict;
        }
        verdict = judge(direction, flow, path, nowSeconds);
        cache.put(verdict, context.inboundMemory());
        return verdict;
    }

    private void touch(Verdict verdict, long nowSeconds) {
        for (Policy policy : verdict.policies) {
            steering.touch(policy, nowSeconds);
        }
    }

    private boolean holds(Verdict verdict, Direction direction, SecPath path, long nowSeconds) {
        return verdict.direction == direction
                && verdict.validUntilSeconds >= nowSeconds
                && verdict.isDisabled == context.network().isPolicyDisabled(verdict.flow.family)
                && interfaces.hold(verdict.flow, verdict.generation)
                && isOf(path, verdict)
                && verdict.freshness.holds(verdict.flow, verdict.policies);
    }

    private static boolean isOf(SecPath path, Verdict verdict) {
        if (path.length() != verdict.path.length) {
            return false;
        }
        for (int i = 0; i < verdict.path.length; i++) {
            if (path.get(i) != verdict.path[i] || path.get(i).spec() != verdict.specs[i]) {
                return false;
            }
        }
        return true;
    }

    /** Works the verdict out, whatever is remembered. */
    Verdict decide(Direction direction, Flow flow, SecPath path, long nowSeconds) {
        // Before anything is asked: what changes in the meantime makes the answer stale, not wrong.
        PolicyFreshness freshness = new PolicyFreshness(context.spd(), context.sockets(), direction, flow);
        int generation = context.network().generation();
        flow.lowerIfindex = interfaces.behind(flow);
        boolean isDisabled = context.network().isPolicyDisabled(flow.family);
        State[] states = path.states();
        StateSpec[] specs = new StateSpec[states.length];
        for (int i = 0; i < states.length; i++) {
            specs[i] = states[i].spec();
        }
        policies.clear();
        unmet = null;
        Policy ofSocket = sockets.find(direction, flow);
        long validUntilSeconds = sockets.hasAsked() ? nowSeconds : Long.MAX_VALUE;
        boolean isExempt = isDisabled && ofSocket == null;
        DropCause cause = isExempt ? null : cause(direction, flow, path, ofSocket);
        int encapsulationType =
                direction == Direction.IN && flow.protocol == IpProtocol.UDP ? encapsulationType(flow) : 0;
        return new Verdict(
                cause,
                unmet,
                encapsulationType,
                direction,
                new Flow().copyFrom(flow),
                generation,
                isDisabled,
                states,
                specs,
                policies.toArray(new Policy[0]),
                freshness,
                validUntilSeconds);
    }

    private int encapsulationType(Flow flow) {
        counters.add(Metric.LOOKUPS, 1);
        return context.sockets().encapsulationType(flow.family, flow.daddrHigh, flow.daddrLow, flow.dport);
    }

    private DropCause cause(Direction direction, Flow flow, SecPath path, Policy ofSocket) {
        for (int i = path.length() - 1; i >= 0; i--) {
            if (!matches(path.get(i).spec().selector(), flow)) {
                return DropCause.IN_SELECTOR_DIFFERS;
            }
        }
        find(direction, flow, ofSocket);
        return cause(direction, flow.family, path);
    }

    /**
     * The same for an ICMP error and the packet that it is about, seen from that one's receiver: that may be what the
     * selectors of States with XFRM_STATE_ICMP mean and, in dir fwd, policies if none means the error itself. Nothing
     * is remembered.
     */
    DropCause judgeError(Direction direction, Flow error, Flow about, SecPath path, long nowSeconds) {
        policies.clear();
        error.lowerIfindex = interfaces.behind(error);
        about.lowerIfindex = error.lowerIfindex;
        for (int i = path.length() - 1; i >= 0; i--) {
            StateSpec state = path.get(i).spec();
            boolean related = state.hasFlag(StateFlags.ICMP) && matches(state.selector(), about);
            if (!related && !matches(state.selector(), error)) {
                return DropCause.IN_SELECTOR_DIFFERS;
            }
        }
        find(direction, error, sockets.find(direction, error));
        if (policies.isEmpty() && direction == Direction.FWD) {
            find(direction, about, sockets.find(direction, about));
        }
        for (Policy policy : policies) {
            steering.touch(policy, nowSeconds);
        }
        return cause(direction, error.family, path);
    }

    /** What the policies found say to a packet that came so. */
    private DropCause cause(Direction direction, int family, SecPath path) {
        if (policies.isEmpty()) {
            boolean blocked = context.spd().defaultAction(direction) == PolicySpec.Action.BLOCK;
            if (hasTunnel(path, 0)) {
                return DropCause.IN_NO_POLICY;
            }
            return blocked ? DropCause.IN_BLOCKED_BY_DEFAULT : null;
        }
        for (Policy policy : policies) {
            if (policy.spec().action() != PolicySpec.Action.ALLOW) {
                return DropCause.IN_BLOCKED;
            }
        }
        return compare(family, path);
    }

    /** A State of no family (XFRM_STATE_AF_UNSPEC) takes the addresses of either. */
    private static boolean matches(Selector selector, Flow flow) {
        return selector.matches(flow, selector.family() == AddressFamily.UNSPEC ? AddressFamily.UNSPEC : flow.family);
    }

    private void find(Direction direction, Flow flow, Policy ofSocket) {
        counters.add(Metric.LOOKUPS, 1);
        Policy first = ofSocket;
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
    private DropCause compare(int family, SecPath path) {
        List<Template> templates = new ArrayList<>();
        for (Policy policy : policies) {
            if (templates.size() + policy.spec().templates().size() >= Template.MAX_DEPTH) {
                return DropCause.IN_TOO_MANY_TEMPLATES;
            }
            templates.addAll(policy.spec().templates());
        }
        if (policies.size() > 1 && family == AddressFamily.INET6) {
            templates.sort(Comparator.comparing(template -> template.mode().hasOuterHeader()));
        }
        int next = 0;
        for (Template template : templates.reversed()) {
            next = match(template, path, next, family);
            if (next == NO_MATCH) {
                unmet = template;
                return path.isEmpty() ? DropCause.IN_NOT_PROTECTED : DropCause.IN_TEMPLATE_UNMET;
            }
        }
        return hasTunnel(path, next) ? DropCause.IN_TUNNEL_UNWANTED : null;
    }

    /** Where to go on in the path after this template, {@code xfrm_policy_ok}. */
    private static int match(Template template, SecPath path, int start, int family) {
        if (template.optional() && template.mode() == Mode.TRANSPORT) {
            return start;
        }
        for (int i = start; i < path.length(); i++) {
            State state = path.get(i);
            if (state.isInternal() ? standsIn(state.spec(), template) : serves(state.spec(), template, family)) {
                return i + 1;
            }
            if (state.spec().mode() != Mode.TRANSPORT) {
                break;
            }
        }
        return template.optional() ? start : NO_MATCH;
    }

    /**
     * A packet that an IPComp tunnel sent uncompressed, so that only its header came: good enough for an optional
     * template.
     */
    private static boolean standsIn(StateSpec tunnel, Template template) {
        return template.optional() && isFrom(tunnel, template, template.family());
    }

    /**
     * {@code xfrm_state_ok}. Of the ends a kernel compares the source alone: the packet has come to the destination
     * already.
     */
    static boolean serves(StateSpec state, Template template, int family) {
        return state.id().protocol() == template.id().protocol()
                && (template.id().spi() == 0
                        || state.id().spi() == template.id().spi())
                && (template.reqid() == 0 || state.reqid() == template.reqid())
                && state.mode() == template.mode()
                && isAlgorithmAllowed(state, template)
                && (state.mode() == Mode.TRANSPORT || isFrom(state, template, family));
    }

    /** The kernel compares as addresses of the inner packet's family: of IPv4 in IPv6 the first four bytes. */
    private static boolean isFrom(StateSpec state, Template template, int family) {
        return template.saddr().isAny(family) || template.saddr().equalsAs(state.saddr(), family);
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
