package org.xfrmbridge.datapath;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.xfrmbridge.db.PolicyList;
import org.xfrmbridge.db.SocketPolicies.LocalEndpoint;
import org.xfrmbridge.db.StateList;
import org.xfrmbridge.xfrm.Address;
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
 * What becomes of a flow, found out from lists, anew each time: nothing is hashed, cached or numbered by generations.
 */
final class NaiveXfrm {
    final PolicyList policies = new PolicyList();
    final StateList states = new StateList();
    /** The one registered last stands last. */
    final List<Socket> sockets = new ArrayList<>();

    final boolean[] blocks = new boolean[Direction.values().length];
    /** Where tunnels of a family begin whose template does not say. */
    Address[] sources = new Address[AddressFamily.INET6 + 1];
    /** The host's own. */
    final Set<Address> local = new HashSet<>();

    boolean hasRoute = true;

    record Socket(int cookie, LocalEndpoint at, Policy in, Policy out) {
        Policy policy(Direction direction) {
            return direction == Direction.IN ? in : out;
        }
    }

    /** @param missing templates for which there is no State at all */
    record Answer(DropReason reason, List<Policy> policies, List<State> states, List<Template> missing) {}

    /** A wanted State, with the ends it is to have. */
    private record Ends(Address daddr, Address saddr) {}

    Answer outbound(Flow flow) {
        List<Policy> ruling = ruling(Direction.OUT, Direction.OUT, flow);
        List<State> found = new ArrayList<>();
        List<Template> missing = new ArrayList<>();
        DropReason reason = verdict(ruling, flow, found, missing);
        if (reason == null && !hasRoute && leadsElsewhere(found, flow)) {
            reason = DropReason.OUT_BUNDLE_GEN_ERROR;
        }
        return new Answer(reason, ruling, found, missing);
    }

    /** Whether the outermost header names another destination than the packet does. */
    private static boolean leadsElsewhere(List<State> insideOut, Flow flow) {
        for (State state : insideOut.reversed()) {
            if (state.spec().mode().hasOuterHeader()) {
                return state.spec().family() != flow.family
                        || !state.id().daddr().equalsAs(flow.daddr(), flow.family);
            }
        }
        return false;
    }

    private DropReason verdict(List<Policy> ruling, Flow flow, List<State> found, List<Template> missing) {
        if (ruling.isEmpty()) {
            return blocks[Direction.OUT.number()] ? DropReason.OUT_POL_BLOCK : null;
        }
        if (ruling.stream().anyMatch(policy -> policy.spec().action() != PolicySpec.Action.ALLOW)) {
            return DropReason.OUT_POL_BLOCK;
        }
        for (Policy policy : ruling) {
            if (found.size() + policy.spec().templates().size() >= Template.MAX_DEPTH) {
                return DropReason.OUT_POL_ERROR;
            }
            DropReason reason = resolve(policy.spec(), flow, found, missing);
            if (reason != null) {
                return reason;
            }
        }
        if (ruling.size() > 1 && flow.family == AddressFamily.INET6) {
            List<State> transport = found.stream()
                    .filter(state -> state.spec().mode() == Mode.TRANSPORT)
                    .toList();
            List<State> tunnels = found.stream()
                    .filter(state -> state.spec().mode() != Mode.TRANSPORT)
                    .toList();
            found.clear();
            found.addAll(transport);
            found.addAll(tunnels);
        }
        return null;
    }

    private DropReason resolve(PolicySpec policy, Flow flow, List<State> found, List<Template> missing) {
        Ends ends = new Ends(flow.daddr(), flow.saddr());
        for (Template template : policy.templates()) {
            Ends wanted = ends;
            if (template.mode() != Mode.TRANSPORT) {
                boolean anySource = template.saddr().isAny(template.family());
                Address source = anySource ? sources[template.family()] : template.saddr();
                if (source == null) {
                    return DropReason.OUT_POL_ERROR;
                }
                wanted = new Ends(template.id().daddr(), source);
            }
            StateList.Verdict verdict = states.find(policy, template, flow, wanted.daddr, wanted.saddr);
            if (verdict.best != null) {
                found.add(verdict.best);
                if (verdict.lacksStateOfCpu(policy, flow)) {
                    missing.add(template);
                }
                ends = wanted;
                continue;
            }
            if (verdict.isNothing()) {
                missing.add(template);
            }
            if (!template.optional()) {
                return DropReason.OUT_NO_STATES;
            }
        }
        return null;
    }

    private List<Policy> ruling(Direction direction, Direction second, Flow flow) {
        Policy first = ofSocket(direction, flow);
        first = first == null ? policies.lookup(PolicySpec.Type.SUB, direction, flow) : first;
        first = first == null ? policies.lookup(PolicySpec.Type.MAIN, direction, flow) : first;
        if (first == null) {
            return List.of();
        }
        boolean goesOn = first.spec().type() == PolicySpec.Type.SUB
                && (direction != Direction.OUT || first.spec().action() == PolicySpec.Action.ALLOW);
        Policy main = goesOn ? policies.lookup(PolicySpec.Type.MAIN, second, flow) : null;
        return main == null ? List.of(first) : List.of(first, main);
    }

    /**
     * Of the sockets with a policy for the flow: the one bound to the address before one bound to any, of the family
     * before INET6 for both, with the stricter policy before others, the one bound last before others. One that lets
     * pass counts for the host's own packets alone, and not where the kernel itself sends them.
     */
    private Policy ofSocket(Direction direction, Flow flow) {
        Policy best = null;
        int bestRank = 0;
        for (Socket socket : direction == Direction.FWD ? List.<Socket>of() : sockets.reversed()) {
            Policy policy = socket.policy(direction);
            boolean matches = policy != null && PolicyList.matches(policy.spec(), flow);
            int rank = matches ? 3 * rank(socket.at, direction, flow) : 0;
            rank += rank == 0
                    ? 0
                    : policy.spec().action() != PolicySpec.Action.ALLOW
                            ? 2
                            : policy.spec().templates().isEmpty() ? 0 : 1;
            if (rank > bestRank) {
                best = policy;
                bestRank = rank;
            }
        }
        boolean strange = direction == Direction.OUT && !local.contains(flow.saddr());
        boolean passes = bestRank % 3 == 0;
        return strange || passes && (flow.protocol == IpProtocol.ICMP || flow.protocol == IpProtocol.ICMPV6)
                ? null
                : best;
    }

    /** How well a flow fits an endpoint; 0 is not at all. */
    private static int rank(LocalEndpoint at, Direction direction, Flow flow) {
        boolean out = direction == Direction.OUT;
        boolean hasPorts = flow.protocol == IpProtocol.TCP || flow.protocol == IpProtocol.UDP;
        if (at.protocol() != flow.protocol || hasPorts && at.port() != (out ? flow.sport : flow.dport)) {
            return 0;
        }
        if (!at.address().isAny(at.family())) {
            return at.family() == flow.family && at.address().equals(out ? flow.saddr() : flow.daddr()) ? 3 : 0;
        }
        return at.family() == flow.family ? 2 : at.family() == AddressFamily.INET6 ? 1 : 0;
    }

    /** {@code __xfrm_policy_check} of a packet that came through these States, outermost first. */
    DropReason inbound(Direction direction, Flow flow, List<State> path) {
        for (State state : path) {
            Selector selector = state.spec().selector();
            boolean familyFits = selector.family() == AddressFamily.UNSPEC || selector.family() == flow.family;
            if (!familyFits || !PolicyList.matches(selector, flow)) {
                return DropReason.IN_STATE_MISMATCH;
            }
        }
        List<Policy> ruling = ruling(direction, Direction.IN, flow);
        if (ruling.isEmpty()) {
            return blocks[direction.number()] || hasTunnel(path) ? DropReason.IN_NO_POLS : null;
        }
        if (ruling.stream().anyMatch(policy -> policy.spec().action() != PolicySpec.Action.ALLOW)) {
            return DropReason.IN_POL_BLOCK;
        }
        List<Template> wanted = new ArrayList<>();
        for (Policy policy : ruling) {
            if (wanted.size() + policy.spec().templates().size() >= Template.MAX_DEPTH) {
                return DropReason.IN_BUFFER_ERROR;
            }
            wanted.addAll(policy.spec().templates());
        }
        if (ruling.size() > 1 && flow.family == AddressFamily.INET6) {
            List<Template> ordered = new ArrayList<>(wanted.stream()
                    .filter(template -> template.mode() == Mode.TRANSPORT)
                    .toList());
            ordered.addAll(wanted.stream()
                    .filter(template -> template.mode() != Mode.TRANSPORT)
                    .toList());
            wanted = ordered;
        }
        return isAsWanted(wanted.reversed(), path, flow.family) ? null : DropReason.IN_TMPL_MISMATCH;
    }

    private static boolean isAsWanted(List<Template> templates, List<State> path, int family) {
        List<State> left = path;
        for (Template template : templates) {
            if (template.optional() && template.mode() == Mode.TRANSPORT) {
                continue;
            }
            int at = 0;
            while (at < left.size() && !serves(left.get(at).spec(), template, family)) {
                at = left.get(at).spec().mode() == Mode.TRANSPORT ? at + 1 : left.size();
            }
            if (at < left.size()) {
                left = left.subList(at + 1, left.size());
            } else if (!template.optional()) {
                return false;
            }
        }
        return !hasTunnel(left);
    }

    private static boolean serves(StateSpec state, Template template, int family) {
        return state.id().protocol() == template.id().protocol()
                && (template.id().spi() == 0
                        || state.id().spi() == template.id().spi())
                && (template.reqid() == 0 || state.reqid() == template.reqid())
                && state.mode() == template.mode()
                && (state.mode() == Mode.TRANSPORT
                        || template.saddr().isAny(family)
                        || template.saddr().equalsAs(state.saddr(), family));
    }

    private static boolean hasTunnel(List<State> path) {
        return path.stream().anyMatch(state -> state.spec().mode() != Mode.TRANSPORT);
    }
}
