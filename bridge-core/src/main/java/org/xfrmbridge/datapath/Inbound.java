package org.xfrmbridge.datapath;

import java.util.List;
import org.xfrmbridge.io.PacketPort;
import org.xfrmbridge.xfrm.State;
import org.xfrmbridge.xfrm.StateOwner;

/** The duty cycle of the inbound direction: from the network's port to the host's. */
public final class Inbound extends DutyCycle {
    /** The only thread of its direction. */
    public Inbound(PathContext context, XfrmStats stats, PacketPort network, PacketPort host) {
        this(context, stats, network, host, Steering.ALONE);
    }

    private Inbound(PathContext context, XfrmStats stats, PacketPort network, PacketPort host, Steering steering) {
        super(new InboundPath(context, stats.newInbound(), newPool(), steering), network, network, host);
    }

    /**
     * One for each thread.
     *
     * @param networks where each receives
     * @param host where all send
     */
    public static List<Inbound> among(
            PathContext context, XfrmStats stats, List<PacketPort> networks, PacketPort host) {
        return among(networks, (network, steering) -> new Inbound(context, stats, network, host, steering));
    }

    @Override
    boolean leadsOut() {
        return false;
    }

    @Override
    StateOwner ownerOf(State state) {
        return state.inboundOwner();
    }

    @Override
    void wipe(State state) {
        state.wipeInbound();
    }
}
