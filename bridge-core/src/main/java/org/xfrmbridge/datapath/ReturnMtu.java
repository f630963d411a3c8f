package org.xfrmbridge.datapath;

import org.xfrmbridge.io.HostNetwork.NextHop;
import org.xfrmbridge.xfrm.State;
import org.xfrmbridge.xfrm.StateSpec;

/**
 * How long packets may be that go back to where others have come from, judged by the States that these came through:
 * those of the other direction have the same algorithms as a rule. Inbound thread only.
 */
final class ReturnMtu {
    private final PathContext context;
    private State outermost;
    private int wayMtu;
    private int networkGeneration;
    private int pathMtuGeneration;
    private long validUntilNs;

    ReturnMtu(PathContext context) {
        this.context = context;
    }

    /** {@link OutboundRoute#NO_LIMIT} if nobody knows. May ask the host. */
    int of(SecPath path, int family, long nowNs) {
        int mtu = wayMtu(path.get(0), nowNs);
        for (int i = 0; i < path.length() && mtu != OutboundRoute.NO_LIMIT; i++) {
            int inside = i + 1 < path.length() ? path.get(i + 1).spec().family() : family;
            mtu = ((InboundState) path.get(i).inbound()).innerMtu(mtu, inside);
        }
        return mtu;
    }

    private int wayMtu(State state, long nowNs) {
        int network = context.network().generation();
        int learned = context.pathMtu().generation();
        boolean known = state == outermost
                && network == networkGeneration
                && learned == pathMtuGeneration
                && validUntilNs - nowNs > 0;
        if (!known) {
            outermost = state;
            networkGeneration = network;
            pathMtuGeneration = learned;
            validUntilNs = nowNs + PathMtu.LIFETIME_NS;
            wayMtu = askedMtu(state.spec(), nowNs);
        }
        return wayMtu;
    }

    private int askedMtu(StateSpec spec, long nowNs) {
        NextHop nextHop = context.network().resolve(spec.family(), spec.id().daddr(), spec.saddr(), 0);
        PathMtu.Learned learned = context.pathMtu().find(spec.saddr(), nowNs);
        if (learned != null) {
            validUntilNs = learned.expiresNs();
        }
        int mtu = nextHop == null ? OutboundRoute.NO_LIMIT : nextHop.mtuBytes();
        return learned == null ? mtu : Math.min(mtu, learned.mtuBytes());
    }
}
