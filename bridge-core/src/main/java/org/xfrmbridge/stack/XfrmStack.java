package org.xfrmbridge.stack;

import java.util.List;
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
 * A whole XFRM but for its clients: databases, control side, and the datapath between two sides. Threads drive it: one
 * for control, see {@link XfrmEngine}, one or more for each direction. In the host's stack another may judge packets in
 * the clear.
 */
public final class XfrmStack {
    private final XfrmStats stats = new XfrmStats();
    private final XfrmEngine engine;
    private final List<Outbound> outbound;
    private final List<Inbound> inbound;
    private final ClearPath clearPath;
    private final PathContext context;

    /** With one thread for each direction. */
    public XfrmStack(XfrmEngine.Builder control, PathContext.Builder paths, PacketPort host, PacketPort network) {
        this(control, paths, List.of(host), List.of(network));
    }

    /**
     * @param control over the same databases as {@code paths}; where keepalives go and which keys are wiped is settled
     *     here
     * @param hosts where the host's stack sends and receives: one port for each outbound thread. All send by the first
     * @param networks where everybody else does, one for each inbound thread
     */
    public XfrmStack(
            XfrmEngine.Builder control, PathContext.Builder paths, List<PacketPort> hosts, List<PacketPort> networks) {
        PacketPort host = hosts.getFirst();
        PacketPort network = networks.getFirst();
        engine = control.keepaliveSender(new KeepaliveOutput(paths.network(), network)::send)
                .wiper(this::forget)
                .cpus(hosts.size())
                .build();
        context = paths.build(engine);
        outbound = Outbound.among(context, stats, hosts, network);
        inbound = Inbound.among(context, stats, networks, host);
        clearPath = paths.placement() == Placement.IN_STACK ? new ClearPath(context, stats.newInbound()) : null;
    }

    private void forget(State state) {
        outbound.getFirst().forget(state);
        inbound.getFirst().forget(state);
    }

    public XfrmEngine engine() {
        return engine;
    }

    /** One for each outbound thread. */
    public List<Outbound> outbound() {
        return outbound;
    }

    /** One for each inbound thread. */
    public List<Inbound> inbound() {
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
