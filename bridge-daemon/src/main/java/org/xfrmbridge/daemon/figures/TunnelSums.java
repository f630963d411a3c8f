package org.xfrmbridge.daemon.figures;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.xfrmbridge.km.RetiredTraffic;
import org.xfrmbridge.km.RetiredTraffic.Carried;
import org.xfrmbridge.km.StateRole;
import org.xfrmbridge.xfrm.State;

/** Adds up {@link Figures.Tunnel}s. Control thread only. */
final class TunnelSums {
    /** @param sas how many are there */
    private record Sum(int sas, Carried carried) {
        Sum plus(Sum other) {
            return new Sum(sas + other.sas, carried.plus(other.carried));
        }
    }

    private final Map<StateRole, Sum> sums = new HashMap<>();

    TunnelSums(RetiredTraffic retired) {
        retired.byRole().forEach((role, carried) -> sums.put(role, new Sum(0, carried)));
    }

    /** One that has carried nothing counts where others were before it. */
    void add(State state) {
        StateRole role = StateRole.of(state);
        if (state.isValid() && (state.isUsed() || sums.containsKey(role))) {
            sums.merge(role, new Sum(1, Carried.by(state)), Sum::plus);
        }
    }

    List<Figures.Tunnel> most(int count) {
        Most<StateRole> most = new Most<>(count);
        sums.forEach((role, sum) -> most.offer(role, sum.carried().bytes()));
        return most.inOrder().stream().map(this::tunnel).toList();
    }

    private Figures.Tunnel tunnel(StateRole role) {
        Sum sum = sums.get(role);
        return new Figures.Tunnel(
                role.source().toText(role.family()),
                role.destination().toText(role.family()),
                SaFigures.protocol(role.protocol()),
                Integer.toUnsignedLong(role.reqid()),
                sum.sas(),
                sum.carried().bytes(),
                sum.carried().packets());
    }
}
