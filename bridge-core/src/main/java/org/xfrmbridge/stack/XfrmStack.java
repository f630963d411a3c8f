package org.xfrmbridge.stack;

import org.xfrmbridge.datapath.ClearPath;
import org.xfrmbridge.datapath.FlowQuestion;
import org.xfrmbridge.datapath.Inbound;
import org.xfrmbridge.datapath.KeepaliveOutput;
import org.xfrmbridge.datapath.Outbound;
import org.xfrmbridge.datapath.PacketLog;
import org.xfrmbridge.datapath.PathContext;
import org.xfrmbridge.datapath.PathContext.Placement;
import org.xfrmbridge.datapath.XfrmStats;
import org.xfrmbridge.io.PacketPort;
import org.xfrmbridge.km.XfrmEngine;
import org.xfrmbridge.xfrm.State;

/**
 * A whole XFRM but for its clients: databases, control side, and the datapath between two ports. Three threads drive
 * it: one for control, see {@link XfrmEngine}, one for each direction. In the host's stack a fourth may judge packets
 * in the clear.
 */
public final class XfrmStack {
    private final XfrmStats stats = new XfrmStats();
    private final XfrmEngine engine;
    private final Outbound outbound;
    private final Inbound inbound;
    private final ClearPath clearPath;
    private final PathContext context;

    /**
     * @param control over the same databases as {@code paths}; where keepalives go and which keys are wiped is settled
     *     here
     * @param host where the host's stack sends and receives
     * @param network where everybody else does
     */
    public XfrmStack(XfrmEngine.Builder control, PathContext.Builder paths, PacketPort host, PacketPort network) {
        engine = control.keepaliveSender(new KeepaliveOutput(paths.network(), network)::send)
                .wiper(this::forget)
                .build();
        context = paths.build(engine);
        outbound = new Outbound(context, stats, host, network);
        inbound = new Inbound(context, stats, network, host);
        clearPath = paths.placement() == Placement.IN_STACK ? new ClearPath(context, stats.newInbound()) : null;
    }

    private void forget(State state) {
        outbound.forget(state);
        inbound.forget(state);
    }

    public XfrmEngine engine() {
        return engine;
    }

    public Outbound outbound() {
        return outbound;
    }

    public Inbound inbound() {
        return inbound;
    }

    /** What judges packets that came in the clear; null where the datapath is not in the host's stack. */
    public ClearPath clearPath() {
        return clearPath;
    }

    /** What is shown of packets. Any thread. */
    public PacketLog packets() {
        return context.packets();
    }

    /** What would become of packets. A new one; control thread. */
    public FlowQuestion question() {
        return new FlowQuestion(context);
    }

    /** What both directions count. Any thread. */
    public XfrmStats stats() {
        return stats;
    }
}
