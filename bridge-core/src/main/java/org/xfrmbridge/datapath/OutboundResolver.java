package org.xfrmbridge.datapath;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.function.ToIntFunction;
import org.xfrmbridge.datapath.OutboundRoute.Basis;
import org.xfrmbridge.datapath.OutboundRoute.Decision;
import org.xfrmbridge.datapath.OutboundRoute.Generations;
import org.xfrmbridge.datapath.OutboundRoute.Place;
import org.xfrmbridge.datapath.PacketRecord.Need;
import org.xfrmbridge.db.StateFreshness;
import org.xfrmbridge.esp.DeflateCodec;
import org.xfrmbridge.io.HostNetwork;
import org.xfrmbridge.io.HostNetwork.NextHop;
import org.xfrmbridge.xfrm.Address;
import org.xfrmbridge.xfrm.AddressFamily;
import org.xfrmbridge.xfrm.Direction;
import org.xfrmbridge.xfrm.Flow;
import org.xfrmbridge.xfrm.Mode;
import org.xfrmbridge.xfrm.Policy;
import org.xfrmbridge.xfrm.PolicySpec;
import org.xfrmbridge.xfrm.State;
import org.xfrmbridge.xfrm.Template;

/**
 * Decides what becomes of an outbound flow that the flow cache does not know: policies, then the States of their
 * templates, then a {@link Bundle}. The kernel's {@code xfrm_lookup_with_ifid}, {@code xfrm_tmpl_resolve} and
 * {@code xfrm_bundle_create}. May allocate.
 */
final class OutboundResolver {
    /** How long an unanswered acquire is not repeated for a flow. */
    static final long ACQUIRE_RETRY_NS = 100_000_000L;
    /** The same where only a State for one CPU is missing. */
    static final long CPU_ACQUIRE_RETRY_NS = 1_000_000_000L;
    /** How long a next hop that is not known is not asked for again for a flow. */
    static final long NEXT_HOP_RETRY_NS = 1_000_000_000L;
    /** How long an answer of the kernel's, whose socket a flow is, is good for. */
    private static final long SOCKET_VALID_NS = 1_000_000_000L;
    /** How long the memory that was missing for a flow is not asked for again. */
    static final long MEMORY_RETRY_NS = 1_000_000_000L;

    private static final int FINDS = 4;
    private static final long FOREVER_NS = Long.MAX_VALUE / 2;

    private final PathContext context;
    private final PathCounters counters;
    private final Steering steering;
    private final Place here;
    private final SocketPolicyFinder sockets;
    private final FlowInterfaces interfaces;
    private final ToIntFunction<Flow> named;

    private final DeflateCodec codec = new DeflateCodec();
    private final Identifications identifications;
    private final List<State> states = new ArrayList<>();
    private final List<StateFreshness> stateFreshness = new ArrayList<>();
    private final List<State> larvalStates = new ArrayList<>();
    private long validForNs;
    private boolean refused;
    /** What was looked for in vain, and why there is no bundle. */
    private Need need;
    /** The State that was found for a template and cannot serve. */
    private State unusable;

    private DropCause unbundled;

    OutboundResolver(PathContext context, PathCounters counters, Steering steering, Identifications identifications) {
        this.context = context;
        this.counters = counters;
        this.steering = steering;
        this.identifications = identifications;
        here = new Place(null, steering.thread(), Flow.NO_CPU);
        interfaces = new FlowInterfaces(context);
        named = interfaces::named;
        sockets = new SocketPolicyFinder(context);
    }

    /** @param thread to which the flow's packets went before, and which may have its next State, too */
    OutboundRoute resolve(Flow flow, int thread, long nowNs) {
        begin();
        Generations made = Generations.of(context, flow);
        flow.lowerIfindex = interfaces.behind(flow);
        Policy[] policies = policies(flow);
        DropCause cause = decide(policies, flow);
        Bundle bundle = null;
        Place place = cause == null ? place(flow, thread) : here;
        if (place.thread() != steering.thread()) {
            cause = DropCause.OUT_BACKLOG_FULL;
        } else if (cause == null && !states.isEmpty()) {
            bundle = bundle(flow, nowNs);
            cause = bundle == null ? unbundled : null;
        }
        Basis basis = new Basis(
                made,
                stateFreshness.toArray(new StateFreshness[0]),
                states.toArray(OutboundRoute.NO_STATES),
                larvalStates.toArray(OutboundRoute.NO_STATES),
                nowNs + validForNs);
        int mtu = cause == null && bundle == null ? clearMtu(flow) : OutboundRoute.NO_LIMIT;
        return new OutboundRoute(
                new Decision(cause, need), bundle, mtu, flow.lowerIfindex, isBound(flow), policies, place, basis);
    }

    /** A State for one CPU is the thread's of that number. */
    private Place place(Flow flow, int before) {
        if (states.isEmpty() || steering.isAlone()) {
            return here;
        }
        boolean isOfOneCpu = states.stream().anyMatch(state -> state.spec().pcpu() == flow.cpu);
        int cpu = isOfOneCpu ? flow.cpu : Flow.NO_CPU;
        BundleOwners owners = BundleOwners.of(states);
        owners.claim(steering, cpu == Flow.NO_CPU ? before : cpu);
        return new Place(owners, owners.thread(), cpu);
    }

    /**
     * Whether a flow that shows an interface does so as its socket is bound to that, and is to be answered there. In a
     * VRF all show theirs.
     */
    private boolean isBound(Flow flow) {
        HostNetwork network = context.network();
        if (flow.ifindex == 0
                || !context.isInStack()
                || network.vrfOf(flow.ifindex) != 0
                || !network.isLocal(flow.family, flow.saddrHigh, flow.saddrLow)) {
            return false;
        }
        return BoundFlows.isPing(flow)
                || network.isBoundTo(
                        flow.ifindex, flow.family, flow.protocol, flow.saddr(), flow.sport, flow.daddr(), flow.dport);
    }

    /** Policies and States for a flow, and what is missing: nothing is made of them, and nobody is told. */
    record Preview(Policy[] policies, List<State> states, DropCause cause, Need need) {}

    /** Any one thread, with a resolver of its own. */
    Preview preview(Flow flow) {
        begin();
        flow.lowerIfindex = interfaces.behind(flow);
        Policy[] policies = policies(flow);
        DropCause cause = decide(policies, flow);
        return new Preview(policies, List.copyOf(states), cause, need);
    }

    private void begin() {
        states.clear();
        stateFreshness.clear();
        larvalStates.clear();
        validForNs = FOREVER_NS;
        need = null;
    }

    /**
     * How long packets may be that pass. In the wire the host knows; in its stack it sees the device of the datapath
     * instead, but for those that were about to leave by an interface.
     */
    private int clearMtu(Flow flow) {
        if (!context.isInStack() || flow.ifindex != 0) {
            return OutboundRoute.NO_LIMIT;
        }
        NextHop nextHop = context.network().resolve(flow.family, flow.saddr(), flow.daddr(), flow.mark);
        return nextHop == null ? OutboundRoute.NO_LIMIT : nextHop.mtuBytes();
    }

    /**
     * The socket's policy; else, unless XFRM is disabled, a sub-policy and, where that allows, the main one; else the
     * main one alone.
     */
    private Policy[] policies(Flow flow) {
        counters.add(Metric.LOOKUPS, 1);
        Policy first = sockets.find(Direction.OUT, flow);
        validForNs = sockets.hasAsked() ? SOCKET_VALID_NS : validForNs;
        if (first == null
                && !context.network().isXfrmDisabled(flow.family)
                && !context.spd().isEmpty(Direction.OUT)) {
            first = lookup(PolicySpec.Type.SUB, flow);
            first = first == null ? lookup(PolicySpec.Type.MAIN, flow) : first;
        }
        if (first == null) {
            return OutboundRoute.NO_POLICIES;
        }
        boolean sub = first.spec().type() == PolicySpec.Type.SUB && first.spec().action() == PolicySpec.Action.ALLOW;
        Policy main = sub ? lookup(PolicySpec.Type.MAIN, flow) : null;
        return main == null ? new Policy[] {first} : new Policy[] {first, main};
    }

    private Policy lookup(PolicySpec.Type type, Flow flow) {
        counters.add(Metric.LOOKUPS, 1);
        return context.spd().lookup(type, Direction.OUT, flow);
    }

    private DropCause decide(Policy[] policies, Flow flow) {
        if (policies.length == 0) {
            boolean blocked = context.spd().defaultAction(Direction.OUT) == PolicySpec.Action.BLOCK;
            return blocked && !isExempt(flow) ? DropCause.OUT_BLOCKED_BY_DEFAULT : null;
        }
        for (Policy policy : policies) {
            if (policy.spec().action() != PolicySpec.Action.ALLOW) {
                return DropCause.OUT_BLOCKED;
            }
        }
        for (Policy policy : policies) {
            if (states.size() + policy.spec().templates().size() >= Template.MAX_DEPTH) {
                return DropCause.OUT_TOO_MANY_TEMPLATES;
            }
            DropCause cause = resolveTemplates(policy, flow);
            if (cause != null) {
                return cause;
            }
        }
        if (policies.length > 1 && flow.family == AddressFamily.INET6) {
            // Of two policies' States the kernel puts transport before tunnel, in IPv6 only.
            states.sort(Comparator.comparing(state -> state.spec().mode().hasOuterHeader()));
        }
        return null;
    }

    /** Where XFRM is disabled a kernel has the default verdict for its own packets alone. */
    private boolean isExempt(Flow flow) {
        return context.network().isXfrmDisabled(flow.family)
                && !context.network().isLocal(flow.family, flow.saddrHigh, flow.saddrLow);
    }

    private DropCause resolveTemplates(Policy policy, Flow flow) {
        Address daddr = flow.daddr();
        Address saddr = flow.saddr();
        for (Template template : policy.spec().templates()) {
            Address remote = daddr;
            Address local = saddr;
            if (template.mode() == Mode.TUNNEL || template.mode() == Mode.BEET) {
                remote = template.id().daddr();
                local = template.saddr().isAny(template.family())
                        ? context.network().sourceFor(template.family(), remote)
                        : template.saddr();
                if (local == null) {
                    need = new Need(policy, template, null, remote, null);
                    return DropCause.OUT_NO_SOURCE;
                }
            }
            State state = find(policy, template, flow, remote, local);
            if (state != null) {
                states.add(state);
                daddr = remote;
                saddr = local;
            } else if (!template.optional()) {
                need = new Need(policy, template, unusable, remote, local);
                return causeOfMissing();
            }
        }
        return null;
    }

    private DropCause causeOfMissing() {
        if (unusable == null) {
            return refused ? DropCause.OUT_ACQUIRE_REFUSED : DropCause.OUT_NO_STATE;
        }
        return unusable.phase() == State.Phase.ACQUIRING ? DropCause.OUT_STATE_AWAITED : DropCause.OUT_STATE_ENDED;
    }

    /**
     * The State to use, or null. Asks the Sad; if it has nothing, not even a larval State, tells the control side to
     * make one and ask the key managers. Where that is {@link #refused} a kernel has ENOMEM, and counts another reason.
     */
    private State find(Policy policy, Template template, Flow flow, Address remote, Address local) {
        State state = null;
        State.Phase phase = null;
        StateFreshness freshness = null;
        // States may come and go while one is looked for; then another may serve: rekeying must cost no packet and ask
        // nobody.
        for (int i = 0; i < FINDS && (i == 0 || !isAnswer(phase, freshness)); i++) {
            counters.add(Metric.LOOKUPS, 1);
            freshness = context.sad().freshness(policy, template, remote, local);
            state = context.sad().find(policy, template, flow, remote, local);
            phase = state == null ? null : state.phase();
        }
        stateFreshness.add(freshness);
        refused = false;
        unusable = phase == State.Phase.VALID ? null : state;
        if (phase == State.Phase.VALID) {
            if (policy.spec().wantsStateOf(flow.cpu, state)) {
                askForCpu(policy, template, flow, remote, local);
            }
            return state;
        }
        if (state == null) {
            refused = !context.events().acquire(policy, template, flow, remote, local, named);
            validForNs = Math.min(validForNs, ACQUIRE_RETRY_NS);
        } else if (phase == State.Phase.ACQUIRING) {
            larvalStates.add(state);
        } else {
            validForNs = Math.min(validForNs, ACQUIRE_RETRY_NS);
        }
        return null;
    }

    /** XFRM_POLICY_CPU_ACQUIRE: what there is serves until the State of the flow's CPU has come. */
    private void askForCpu(Policy policy, Template template, Flow flow, Address remote, Address local) {
        State larval = context.sad().acquiringForCpu(policy, template, flow.cpu, remote, local);
        if (larval == null) {
            context.events().acquire(policy, template, flow, remote, local, named);
            validForNs = Math.min(validForNs, CPU_ACQUIRE_RETRY_NS);
        } else {
            larvalStates.add(larval);
        }
    }

    /** Whether what was found is to be used or waited for, or nothing was added while nothing was found. */
    private static boolean isAnswer(State.Phase phase, StateFreshness freshness) {
        return phase == null ? freshness.holds() : phase == State.Phase.VALID || phase == State.Phase.ACQUIRING;
    }

    /**
     * Null if a State cannot carry what comes to it or has no memory for its ciphers, or there is no way to an outer
     * destination other than the packet's own.
     */
    private Bundle bundle(Flow flow, long nowNs) {
        BundleStep[] steps = new BundleStep[states.size()];
        int family = flow.family;
        Address source = flow.saddr();
        Address destination = flow.daddr();
        int mark = flow.mark;
        for (int i = 0; i < steps.length; i++) {
            State state = states.get(i);
            if (state.outbound() == null && !context.outboundMemory().getAsBoolean()) {
                validForNs = Math.min(validForNs, MEMORY_RETRY_NS);
                return refuse(DropCause.OUT_NO_MEMORY, state, destination);
            }
            steps[i] = BundleStep.of(state, family, identifications, codec);
            if (steps[i] == null) {
                return refuse(DropCause.OUT_STATE_UNFIT, state, destination);
            }
            if (steps[i].hasOuterHeader()) {
                family = steps[i].outerFamily();
                source = state.spec().saddr();
                destination = state.id().daddr();
                // xfrm_bundle_create asks for a tunnel's way without the inner packet's mark, which the State may
                // replace.
                mark = state.spec().outputMark() == null ? 0 : state.spec().markOf(flow.mark);
            } else {
                mark = state.spec().markOf(mark);
            }
        }
        // xfrm4_dst_lookup: that of a packet in a VRF is looked for there.
        int vrf = context.network().vrfOf(flow.ifindex);
        NextHop nextHop = context.network().resolve(family, source, destination, mark, vrf);
        // The host has sent the frame on the way to that very destination, by rules that may look at what a packet does
        // not show: mark, user, interface.
        boolean keepsWay = family == flow.family && destination.equalsAs(flow.daddr(), family);
        if (nextHop == null && !keepsWay) {
            validForNs = Math.min(validForNs, NEXT_HOP_RETRY_NS);
            return refuse(DropCause.OUT_NO_WAY, states.getLast(), destination);
        }
        int wayMtu = nextHop == null ? context.network().linkMtuBytes() : nextHop.mtuBytes();
        int mtu = Math.min(wayMtu, learnedMtu(destination, nowNs));
        return new Bundle(steps, keepsWay ? null : nextHop, vrf, mark, mtu);
    }

    private Bundle refuse(DropCause cause, State state, Address remote) {
        unbundled = cause;
        need = new Need(null, null, state, remote, null);
        return null;
    }

    private int learnedMtu(Address destination, long nowNs) {
        PathMtu.Learned learned = context.pathMtu().find(destination, nowNs);
        if (learned == null) {
            return Integer.MAX_VALUE;
        }
        validForNs = Math.min(validForNs, learned.expiresNs() - nowNs);
        return learned.mtuBytes();
    }
}
