package org.xfrmbridge.datapath;

import org.xfrmbridge.io.HostNetwork;
import org.xfrmbridge.xfrm.Direction;
import org.xfrmbridge.xfrm.Flow;
import org.xfrmbridge.xfrm.IpProtocol;
import org.xfrmbridge.xfrm.Policy;
import org.xfrmbridge.xfrm.PolicySpec;

/**
 * The policy of the socket that a packet leaves from or comes to. Packets carry no socket: where it can only be
 * guessed, a policy that protects or blocks holds for all that may be the socket's, and one that lets pass only for
 * what can be nobody else's. One datapath thread; may ask the kernel.
 */
final class SocketPolicyFinder {
    private static final int FIRST_DISCOVERY = 133;
    private static final int LAST_DISCOVERY = 137;

    private final PathContext context;
    private boolean asked;

    SocketPolicyFinder(PathContext context) {
        this.context = context;
    }

    /** Null if the flow has no socket with a policy for it. */
    Policy find(Direction direction, Flow flow) {
        asked = false;
        Policy policy = context.sockets().lookup(direction, flow);
        if (policy == null && context.sockets().mayFloat(flow.protocol)) {
            policy = findFloating(direction, flow);
        }
        return policy == null || isSomebodyElses(direction, flow, policy) ? null : policy;
    }

    /** Whether the last answer came from the kernel, which does not tell when it changes: it is good for a second. */
    boolean hasAsked() {
        return asked;
    }

    private Policy findFloating(Direction direction, Flow flow) {
        boolean out = direction == Direction.OUT;
        if (direction == Direction.FWD || out && !isOwn(flow)) {
            return null;
        }
        asked = true;
        long cookie = out
                ? context.network()
                        .socketAt(flow.family, flow.protocol, flow.saddr(), flow.sport, flow.daddr(), flow.dport)
                : context.network()
                        .socketAt(flow.family, flow.protocol, flow.daddr(), flow.dport, flow.saddr(), flow.sport);
        return cookie == HostNetwork.UNKNOWN_SOCKET
                ? context.sockets().lookupFloating(direction, flow)
                : context.sockets().lookupFloating(direction, flow, cookie);
    }

    private boolean isLocal(Flow flow) {
        return context.network().isLocal(flow.family, flow.saddrHigh, flow.saddrLow);
    }

    /** Also of an address that has come a moment ago. */
    private boolean isOwn(Flow flow) {
        return isLocal(flow) || context.network().isLocalNow(flow.family, flow.saddr());
    }

    private boolean isSomebodyElses(Direction direction, Flow flow, Policy policy) {
        boolean strange = direction == Direction.OUT && !isLocal(flow);
        if (isBypass(policy.spec())) {
            return strange || isKernels(flow.protocol);
        }
        // A host that cannot find its neighbours has no network.
        boolean discovery =
                flow.protocol == IpProtocol.ICMPV6 && flow.sport >= FIRST_DISCOVERY && flow.sport <= LAST_DISCOVERY;
        return discovery || strange && !isOwn(flow);
    }

    private static boolean isBypass(PolicySpec spec) {
        return spec.action() == PolicySpec.Action.ALLOW && spec.templates().isEmpty();
    }

    /** Where the kernel itself sends and gets packets of the protocol. */
    private static boolean isKernels(int protocol) {
        return protocol == IpProtocol.ICMP || protocol == IpProtocol.ICMPV6 || protocol == IpProtocol.IGMP;
    }
}
