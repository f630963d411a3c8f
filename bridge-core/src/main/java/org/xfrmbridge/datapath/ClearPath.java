package org.xfrmbridge.datapath;

import org.xfrmbridge.io.PacketBuffer;
import org.xfrmbridge.net.FlowDecoder;
import org.xfrmbridge.net.IpPacket;
import org.xfrmbridge.net.IpPacket.Kind;
import org.xfrmbridge.xfrm.Direction;
import org.xfrmbridge.xfrm.Flow;

/**
 * Whether a packet that the host's stack got in the clear may go on: what {@link InboundPath} would say to one that has
 * come through no State ({@code xfrm4_policy_check}, {@code xfrm6_policy_check}). The host's stack keeps the packet,
 * and asks where a policy might be against it. One thread, which need not be one of the datapath.
 */
public final class ClearPath {
    private static final SecPath NO_STATES = new SecPath();

    private final PathContext context;
    private final PathCounters counters;
    private final DeliveryCheck check;
    private final IpPacket packet = new IpPacket();
    private final Flow flow = new Flow();
    private final PacketSight sight;
    /** What the policies said to the packet at hand; null if they were not asked. */
    private PolicyCheck.Verdict verdict;

    /** @param counters of this thread alone */
    public ClearPath(PathContext context, PathCounters counters) {
        this.context = context;
        this.counters = counters;
        check = new DeliveryCheck(context, counters, Steering.ALONE);
        sight = context.packets().newSight(flow);
    }

    /**
     * A fault of this program costs the packet and no other.
     *
     * @param direction IN for a packet to the host itself, FWD for one that it forwards
     * @param frame the packet behind an Ethernet header, with its mark and, in dir FWD, the interface that it leaves
     *     by: that is what selectors name, not the one it came by. Stays the caller's
     * @return why it is to be dropped, which is counted; null if it may go on
     */
    public DropReason judge(Direction direction, PacketBuffer frame) {
        counters.add(Metric.PACKETS, 1);
        counters.add(Metric.BYTES, frame.length);
        try {
            sight.beginBatch(context.clock().nowNs(), 1);
            sight.begin(frame);
            verdict = null;
            DropCause cause = cause(direction, frame);
            if (cause == null) {
                counters.add(Metric.PASSED, 1);
            } else {
                counters.drop(cause.reason());
            }
            sight.showIn(direction, cause, NO_STATES, verdict, check.hasDecided(), packet);
            return cause == null ? null : cause.reason();
        } catch (Throwable fault) {
            counters.fault(fault);
            return DropReason.FAULT;
        }
    }

    private DropCause cause(Direction direction, PacketBuffer frame) {
        if (packet.parse(frame) != Kind.IP) {
            return DropCause.IN_UNREADABLE;
        }
        long nowSeconds = context.clock().epochSeconds();
        FlowDecoder.decode(packet, flow);
        sight.read(packet);
        flow.mark = frame.mark;
        verdict = check.judge(direction, packet, flow, NO_STATES, null, nowSeconds);
        counters.set(Metric.FLOW_ENTRIES, check.size());
        return check.cause(packet, flow, NO_STATES, verdict, nowSeconds);
    }
}
