package org.xfrmbridge.datapath;

import java.util.List;
import org.xfrmbridge.io.PacketPort;
import org.xfrmbridge.xfrm.State;
import org.xfrmbridge.xfrm.StateOwner;

/** The duty cycle of the outbound direction: from the host's port to the network's. */
public final class Outbound extends DutyCycle {
    /** The only thread of its direction. */
    public Outbound(PathContext context, XfrmStats stats, PacketPort host, PacketPort network) {
        this(context, stats, host, network, Steering.ALONE);
    }

    private Outbound(PathContext context, XfrmStats stats, PacketPort host, PacketPort network, Steering steering) {
        super(new OutboundPath(context, stats.newOutbound(), newPool(), steering), host, network, host);
    }

    /**
     * One for each thread.
     *
     * @param hosts where each receives
     * @param network where all send
     */
    public static List<Outbound> among(
            PathContext context, XfrmStats stats, List<PacketPort> hosts, PacketPort network) {
        return among(hosts, (host, steering) -> new Outbound(context, stats, host, network, steering));
    }

    @Override
    boolean leadsOut() {
        return true;
    }

    @Override
    StateOwner ownerOf(State state) {
        return state.outboundOwner();
    }

    @Override
    void wipe(State state) {
        state.wipeOutbound();
    }
}
