package org.xfrmbridge.datapath;

import org.xfrmbridge.db.Spd;
import org.xfrmbridge.io.HostNetwork;
import org.xfrmbridge.io.PacketBuffer;
import org.xfrmbridge.xfrm.AddressFamily;
import org.xfrmbridge.xfrm.Direction;
import org.xfrmbridge.xfrm.Flow;

/**
 * The interface of a flow, for selectors that name one: a kernel's {@code flowi_oif}, the device of the route that the
 * packet has. So one that is sent or forwarded has that by which it leaves; what has come to the host itself has
 * loopback, whichever it came by.
 *
 * <p>In the wire all flows have the same two. In the stack packets show theirs, or it is asked for: once for a flow,
 * and only while a policy wants to know.
 */
final class FlowInterfaces {
    /** What loopback has in every network namespace: {@code LOOPBACK_IFINDEX}. */
    static final int LOOPBACK = 1;

    private final PathContext context;
    private final HostNetwork network;
    private final Spd spd;

    FlowInterfaces(PathContext context) {
        this.context = context;
        network = context.network();
        spd = context.spd();
    }

    /** What a packet of that direction shows. */
    int shown(Direction direction, PacketBuffer packet) {
        if (!context.isInStack()) {
            return context.ifindex();
        }
        return direction == Direction.IN ? LOOPBACK : packet.ifindex;
    }

    /** What else stands behind a flow: its {@link Flow#lowerIfindex}. May ask the host. */
    int behind(Flow flow) {
        if (!context.isInStack()) {
            return network.attachedIndex();
        }
        if (flow.ifindex != 0) {
            return 0;
        }
        return spd.namesInterface()
                ? network.outputIndex(flow.family, flow.saddr(), flow.daddr(), flow.mark)
                : Flow.NOT_ASKED;
    }

    /**
     * What an ACQUIRE names, to whom it may matter by which interface a packet would leave. Of what the host itself
     * sends by IPv6 a kernel's flow has none, unless its socket is bound to it. May ask the host. Any thread.
     */
    int named(Flow flow) {
        boolean isShown = !context.isInStack() || flow.ifindex != 0;
        if (isShown
                || flow.family == AddressFamily.INET6 && network.isLocal(flow.family, flow.saddrHigh, flow.saddrLow)) {
            return flow.ifindex;
        }
        return flow.lowerIfindex == Flow.NOT_ASKED
                ? network.outputIndex(flow.family, flow.saddr(), flow.daddr(), flow.mark)
                : flow.lowerIfindex;
    }

    /**
     * Whether what stood {@link #behind} a flow does so still.
     *
     * @param generation of the network, before it was asked
     */
    boolean hold(Flow flow, int generation) {
        if (!context.isInStack()) {
            return flow.lowerIfindex == network.attachedIndex();
        }
        if (flow.ifindex != 0) {
            return true;
        }
        return flow.lowerIfindex == Flow.NOT_ASKED ? !spd.namesInterface() : generation == network.generation();
    }
}
