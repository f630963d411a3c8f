package org.xfrmbridge.datapath;

import org.xfrmbridge.io.HostNetwork;
import org.xfrmbridge.xfrm.AddressFamily;
import org.xfrmbridge.xfrm.Flow;
import org.xfrmbridge.xfrm.IpProtocol;

/**
 * By which interface the host's stack is to see what was opened. In a kernel that is always the one that its ESP came
 * by. Here it is the TAP, which rules of the host know by name, but for what has a meaning on one link alone, and for
 * sockets that are bound to an interface: these would miss it.
 */
final class ArrivalInterface {
    private static final int IPV4_GROUPS = 0xe;
    private static final int IPV6_GROUPS = 0xff;
    private static final int LINK_LOCAL = 0xfe80 >>> 6;

    private final HostNetwork network;
    private final BoundFlows bound;

    ArrivalInterface(PathContext context) {
        network = context.network();
        bound = context.bound();
    }

    /**
     * Index of the interface; 0 for the TAP.
     *
     * @param flow of a packet to the host itself
     * @param espBy index of the interface that its ESP came by
     */
    int of(Flow flow, int espBy, long nowNs) {
        boolean byItsOwn = isOfLink(flow)
                || bound.answersAny(flow, espBy, nowNs)
                || network.isServedAt(espBy, flow.protocol, flow.dport);
        return byItsOwn && network.takesOpened(espBy) ? espBy : 0;
    }

    /** Who speaks these protocols asks by which of his links a neighbour's packet came, be it for a group or not. */
    private static boolean isOfLink(Flow flow) {
        boolean isScoped = flow.family == AddressFamily.INET
                ? flow.daddrHigh >>> 60 == IPV4_GROUPS
                : flow.daddrHigh >>> 56 == IPV6_GROUPS || isLinkLocal(flow.daddrHigh) || isLinkLocal(flow.saddrHigh);
        return isScoped || flow.protocol == IpProtocol.OSPF || flow.protocol == IpProtocol.VRRP;
    }

    private static boolean isLinkLocal(long high) {
        return high >>> 54 == LINK_LOCAL;
    }
}
