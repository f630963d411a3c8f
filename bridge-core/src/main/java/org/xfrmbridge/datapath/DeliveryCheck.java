package org.xfrmbridge.datapath;

import org.xfrmbridge.net.IpPacket;
import org.xfrmbridge.xfrm.Direction;
import org.xfrmbridge.xfrm.Flow;
import org.xfrmbridge.xfrm.IpProtocol;
import org.xfrmbridge.xfrm.State;
import org.xfrmbridge.xfrm.StateFlags;

/**
 * Whether an inbound packet may go on to the host, or through it: what the policies say to it and, if it is an ICMP
 * error, to the packet that it is about. One thread.
 */
final class DeliveryCheck {
    private final PolicyCheck policies;
    private final Steering steering;
    private final FlowInterfaces interfaces;
    private final IcmpQuote quote = new IcmpQuote();

    DeliveryCheck(PathContext context, PathCounters counters, Steering steering) {
        this.steering = steering;
        policies = new PolicyCheck(context, counters, steering);
        interfaces = new FlowInterfaces(context);
    }

    /** Whether the last verdict was worked out, and not remembered. */
    boolean hasDecided() {
        return policies.hasDecided();
    }

    /** How many flows are remembered. */
    int size() {
        return policies.size();
    }

    /**
     * What the policies say to the packet's flow. What a State remembers, the last of the path or else the one named,
     * costs no question to what all flows share.
     *
     * @param flow gets the packet's interface
     * @param named the State that a packet names which has not come through it yet; null for none
     */
    PolicyCheck.Verdict judge(
            Direction direction, IpPacket packet, Flow flow, SecPath path, State named, long nowSeconds) {
        flow.ifindex = interfaces.shown(direction, packet.buffer);
        State state = path.isEmpty() ? named : path.last();
        return state != null && steering.ownsInbound(state) && state.inbound() instanceof InboundState sa
                ? policies.judge(direction, flow, path, sa.verdicts, nowSeconds)
                : policies.judge(direction, flow, path, nowSeconds);
    }

    /** Why the packet is dropped at last, null if it may go on. */
    DropCause cause(IpPacket packet, Flow flow, SecPath path, PolicyCheck.Verdict verdict, long nowSeconds) {
        boolean icmp = packet.protocol == IpProtocol.ICMP || packet.protocol == IpProtocol.ICMPV6;
        return icmp ? causeForError(packet, flow, path, verdict, nowSeconds) : verdict.cause();
    }

    /**
     * What becomes of an ICMP error is also a matter of what it quotes (RFC 4301 section 6). A State's selector and, in
     * dir fwd, the policies may mean that packet ({@code xfrm_in_fwd_icmp}); and through a State with XFRM_STATE_ICMP
     * an error comes to the host if the packet it is about could ({@code icmp_rcv}).
     */
    private DropCause causeForError(
            IpPacket packet, Flow flow, SecPath path, PolicyCheck.Verdict verdict, long nowSeconds) {
        Direction direction = verdict.direction();
        DropCause cause = verdict.cause();
        boolean unruled = direction == Direction.FWD && verdict.policies().length == 0 && !verdict.isDisabled();
        if (cause == null && !unruled) {
            return null;
        }
        if (quote.findFate(packet)) {
            cause = policies.judgeError(direction, flow, quote.reversedFlow(flow), path, nowSeconds);
        }
        return cause != null && direction == Direction.IN && isErrorAboutAllowed(packet, flow, path, nowSeconds)
                ? null
                : cause;
    }

    private boolean isErrorAboutAllowed(IpPacket packet, Flow flow, SecPath path, long nowSeconds) {
        boolean wanted = !path.isEmpty() && path.last().spec().hasFlag(StateFlags.ICMP);
        return wanted
                && quote.find(packet)
                && policies.judge(Direction.IN, quote.reversedFlow(flow), path, nowSeconds)
                                .cause()
                        == null;
    }
}
