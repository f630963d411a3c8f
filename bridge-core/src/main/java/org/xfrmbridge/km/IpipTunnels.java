package org.xfrmbridge.km;

import java.util.HashMap;
import java.util.Map;
import org.xfrmbridge.db.Sad;
import org.xfrmbridge.esp.Suite;
import org.xfrmbridge.xfrm.Address;
import org.xfrmbridge.xfrm.AddressFamily;
import org.xfrmbridge.xfrm.IpProtocol;
import org.xfrmbridge.xfrm.Mode;
import org.xfrmbridge.xfrm.State;
import org.xfrmbridge.xfrm.StateId;
import org.xfrmbridge.xfrm.StateSpec;
import org.xfrmbridge.xfrm.StateSpecBuilder;
import org.xfrmbridge.xfrm.Usage;

/**
 * The IP-in-IP States beside IPComp tunnels: a peer sends packets that would not get smaller in a bare tunnel header,
 * and they must be let in as if compressed ({@code ipcomp_tunnel_attach}). One between two ends, as long as any IPComp
 * State there needs it. Clients see it in dumps and cannot delete it. Control thread only.
 */
final class IpipTunnels {
    private final Sad sad;
    private final Map<State, State> tunnelOf = new HashMap<>();
    private final Map<State, Integer> users = new HashMap<>();
    private final Map<Address, SourceSpi> ipv6Spis = new HashMap<>();
    private int lastIpv6Spi;

    /** The Spi of all tunnels from one IPv6 address. */
    private static final class SourceSpi {
        private final int spi;
        private int tunnels;

        SourceSpi(int spi) {
            this.spi = spi;
        }
    }

    IpipTunnels(Sad sad) {
        this.sad = sad;
    }

    /** One of IPComp has come. */
    void attach(State state) {
        StateSpec spec = state.spec();
        if (spec.mode() != Mode.TUNNEL || !(state.suite() instanceof Suite.Deflate)) {
            return;
        }
        int mark = spec.mark().maskedValue();
        State tunnel = sad.lookupByAddress(spec.id().daddr(), spec.saddr(), protocol(spec), spec.family(), mark);
        if (tunnel == null) {
            tunnel = create(spec, state.addSeconds());
            sad.insert(tunnel);
        }
        tunnelOf.put(state, tunnel);
        users.merge(tunnel, 1, Integer::sum);
    }

    /** One of IPComp has gone. */
    void detach(State state) {
        State tunnel = tunnelOf.remove(state);
        if (tunnel != null && users.merge(tunnel, -1, Integer::sum) == 0) {
            users.remove(tunnel);
            sad.remove(tunnel);
            ipv6Spis.computeIfPresent(tunnel.spec().saddr(), (source, spi) -> --spi.tunnels == 0 ? null : spi);
        }
    }

    private static int protocol(StateSpec spec) {
        return spec.family() == AddressFamily.INET ? IpProtocol.IPIP : IpProtocol.IPV6;
    }

    private int spi(StateSpec beside) {
        if (beside.family() == AddressFamily.INET) {
            return beside.saddr().ipv4();
        }
        SourceSpi spi = ipv6Spis.computeIfAbsent(beside.saddr(), source -> new SourceSpi(++lastIpv6Spi));
        spi.tunnels++;
        return spi.spi;
    }

    /** Over IPv4 its Spi is the source address, over IPv6 a number that counts them; and there it has no flags. */
    private State create(StateSpec beside, long nowSeconds) {
        StateSpecBuilder spec = StateSpec.builder()
                .id(new StateId(beside.id().daddr(), spi(beside), protocol(beside)))
                .saddr(beside.saddr())
                .selector(beside.selector())
                .family(beside.family())
                .mode(Mode.TUNNEL);
        if (beside.family() == AddressFamily.INET) {
            spec.flags(beside.flags()).extraFlags(beside.extraFlags());
        }
        spec.mark(beside.mark()).ifId(beside.ifId()).replayMaxDifference(0).replayMaxAge(0);
        return new State(spec.build(), State.Phase.VALID, new Usage(nowSeconds), Suite.Ipip.INSTANCE);
    }
}
