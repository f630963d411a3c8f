package org.xfrmbridge.daemon.attach;

import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import org.xfrmbridge.daemon.nft.StackTable;
import org.xfrmbridge.daemon.os.OsException;
import org.xfrmbridge.daemon.port.IpSocketPort;

/**
 * Ports of daemons at which ESP in UDP arrives: rules exchange each for that of a socket of the bridge's own. Control
 * thread.
 */
final class StackEncapsulation {
    private final IpSocketPort network;
    private final StackTable table;
    private Set<Integer> ports = Set.of();

    StackEncapsulation(IpSocketPort network, StackTable table) {
        this.network = network;
        this.table = table;
    }

    /** All of them from now on. What fails is tried again by {@link #keep}. */
    void set(Set<Integer> now) throws OsException {
        ports = Set.copyOf(now);
        keep();
    }

    /** The socket is there before rules lead to it, and as long as they do. */
    void keep() throws OsException {
        Set<Integer> ended = new HashSet<>(table.encapsulation().keySet());
        if (ended.equals(ports)) {
            return;
        }
        ended.removeAll(ports);
        Map<Integer, Integer> redirected = new HashMap<>();
        for (int port : ports) {
            redirected.put(port, network.openEncapsulation(port));
        }
        ended.forEach(port -> network.setSourceRedirected(port, false));
        table.encapsulation(redirected);
        ports.forEach(port -> network.setSourceRedirected(port, true));
        for (int port : ended) {
            network.closeEncapsulation(port);
        }
    }
}
