package org.xfrmbridge.km;

import java.util.HashMap;
import java.util.Map;
import org.xfrmbridge.db.Sad;
import org.xfrmbridge.esp.Suite;
import org.xfrmbridge.xfrm.AddressFamily;
import org.xfrmbridge.xfrm.IpProtocol;
import org.xfrmbridge.xfrm.Mode;
import org.xfrmbridge.xfrm.State;
import org.xfrmbridge.xfrm.StateId;
import org.xfrmbridge.xfrm.StateSpec;
import org.xfrmbridge.xfrm.Usage;

/**
 * The IP-in-IP States beside IPComp tunnels: a peer sends packets that would not get smaller in a bare tunnel header, and they must be let
 * in as if compressed ({@code ipcomp_tunnel_attach}). One between two ends, as long as any IPComp State there needs it. Clients
 * see it in dumps and cannot delete it. Control thread only.
 */
final class BareTunnels {
    private final Sad sad;
    private final Map<State, State> tunnelOf = new HashMap<>();
    private final Map<State, Integer> users = new HashMap<>();
    private int lastIpv6Spi;

    BareTunnels(Sad sad) {
        this.sad = sad;
    }

    void attach(State state) {
        StateSpec spec = state.spec();
        if (spec.id().protocol() != IpProtocol.COMP || spec.mode() != Mode.TUNNEL || !(state.suite() instanceof Suite.Deflate)) {
            return;
        }
        int mark = spec.mark().value() & spec.mark().mask();
        State tunnel = sad.lookupByAddress(spec.id().daddr(), spec.saddr(), protocol(spec), spec.family(), mark);
        if (tunnel == null) {
            tunnel = create(spec, state.addSeconds());
            sad.insert(tunnel);
        }
        tunnelOf.put(state, tunnel);
        users.merge(tunnel, 1, Integer::sum);
    }

    void detach(State state) {
        // Looking for any other would give it an identity hash, which costs more than the rest of its removal.
        State tunnel = state.id().protocol() == IpProtocol.COMP ? tunnelOf.remove(state) : null;
        if (tunnel != null && users.merge(tunnel, -1, Integer::sum) == 0) {
            users.remove(tunnel);
            sad.remove(tunnel);
        }
    }

    private static int protocol(StateSpec spec) {
        return spec.family() == AddressFamily.INET ? IpProtocol.IPIP : IpProtocol.IPV6;
    }

    /** Over IPv4 its Spi is the source address, over IPv6 a number of its own. */
    private State create(StateSpec beside, long nowSeconds) {
        StateSpec.Builder spec = StateSpec.builder();
        int spi = beside.family() == AddressFamily.INET ? beside.saddr().ipv4() : ++lastIpv6Spi;
        spec.id = new StateId(beside.id().daddr(), spi, protocol(beside));
        spec.saddr = beside.saddr();
        spec.selector = beside.selector();
        spec.family = beside.family();
        spec.mode = Mode.TUNNEL;
        spec.flags = beside.flags();
        spec.extraFlags = beside.extraFlags();
        spec.mark = beside.mark();
        spec.ifId = beside.ifId();
        spec.replayMaxDifference = 0;
        spec.replayMaxAge = 0;
        return new State(spec.build(), State.Phase.VALID, new Usage(nowSeconds), Suite.Bare.INSTANCE);
    }
}
