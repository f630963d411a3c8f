package org.xfrmbridge.datapath;

import com.google.common.base.Preconditions;
import java.util.function.BooleanSupplier;
import org.xfrmbridge.db.Sad;
import org.xfrmbridge.db.SocketPolicies;
import org.xfrmbridge.db.Spd;
import org.xfrmbridge.io.HostNetwork;
import org.xfrmbridge.km.DatapathEvents;
import org.xfrmbridge.time.Clock;
import org.xfrmbridge.xfrm.Direction;
import org.xfrmbridge.xfrm.PolicySpec;

/**
 * What both directions of a datapath share: the databases they ask, the host they serve and whom they tell.
 *
 * @param ifindex what packets carry as interface when a selector names one
 * @param flows how many are remembered in each direction, rounded up to a power of two; at least 1
 * @param outboundMemory whether there is memory: asked by the outbound thread before it makes what a State keeps from
 *     its first packet on
 * @param inboundMemory the same for the inbound thread
 */
public record PathContext(
        Sad sad,
        Spd spd,
        SocketPolicies sockets,
        HostNetwork network,
        DatapathEvents events,
        PathMtu pathMtu,
        Clock clock,
        int ifindex,
        int flows,
        BooleanSupplier outboundMemory,
        BooleanSupplier inboundMemory) {
    public static final int DEFAULT_FLOWS = 1 << 16;

    public PathContext {
        Preconditions.checkArgument(flows > 0, "flows: %s", flows);
    }

    /** Of a {@link org.xfrmbridge.db.FlowCache}: twice as many as flows, so that all of these find one. */
    int flowSlots() {
        return 2 * flows;
    }

    /** Whether a packet of that direction could fall under any policy, of which no more is known than that. */
    boolean mayBeRuled(Direction direction) {
        return !spd.isEmpty(direction)
                || spd.socketCount(direction) > 0
                || spd.defaultAction(direction) == PolicySpec.Action.BLOCK;
    }

    /** With as many flows as is usual, and all the memory there is. */
    public PathContext(
            Sad sad,
            Spd spd,
            SocketPolicies sockets,
            HostNetwork network,
            DatapathEvents events,
            PathMtu pathMtu,
            Clock clock,
            int ifindex) {
        this(sad, spd, sockets, network, events, pathMtu, clock, ifindex, DEFAULT_FLOWS, () -> true, () -> true);
    }
}
