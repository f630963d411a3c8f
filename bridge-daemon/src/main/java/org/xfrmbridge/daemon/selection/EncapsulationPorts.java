package org.xfrmbridge.daemon.selection;

import java.util.Set;
import java.util.TreeMap;
import java.util.function.Consumer;
import org.xfrmbridge.db.SocketListener;
import org.xfrmbridge.db.SocketPolicies;
import org.xfrmbridge.db.SocketPolicies.LocalEndpoint;
import org.xfrmbridge.xfrm.Encapsulation;
import org.xfrmbridge.xfrm.IpProtocol;
import org.xfrmbridge.xfrm.Policy;

/** Local UDP ports with sockets that take ESP in UDP (UDP_ENCAP), in host order. Control thread only. */
public final class EncapsulationPorts implements SocketListener {
    private final TreeMap<Integer, Integer> sockets = new TreeMap<>();
    private final Consumer<Set<Integer>> changed;

    /** @param changed told of all ports each time one comes, before packets are opened there, or has gone */
    public EncapsulationPorts(SocketPolicies registered, Consumer<Set<Integer>> changed) {
        this.changed = changed;
        registered.listen(this);
    }

    /** All there are now. */
    public Set<Integer> ports() {
        return Set.copyOf(sockets.keySet());
    }

    @Override
    public void comes(LocalEndpoint at, Policy in, Policy out, int encapsulationType) {
        if (isOne(at, encapsulationType) && sockets.merge(at.port(), 1, Integer::sum) == 1) {
            changed.accept(ports());
        }
    }

    @Override
    public void goes(LocalEndpoint at, Policy in, Policy out, int encapsulationType) {
        if (isOne(at, encapsulationType)
                && sockets.computeIfPresent(at.port(), (port, count) -> count == 1 ? null : count - 1) == null) {
            changed.accept(ports());
        }
    }

    private static boolean isOne(LocalEndpoint at, int encapsulationType) {
        return encapsulationType == Encapsulation.UDP_ENCAP_ESPINUDP
                && at.protocol() == IpProtocol.UDP
                && at.port() > 0;
    }
}
