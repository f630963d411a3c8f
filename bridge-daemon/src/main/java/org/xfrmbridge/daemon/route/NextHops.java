package org.xfrmbridge.daemon.route;

import java.util.HashSet;
import java.util.Set;
import org.xfrmbridge.daemon.os.OsException;
import org.xfrmbridge.daemon.route.Route.Gateway;
import org.xfrmbridge.xfrm.Address;

/**
 * The gateways of all routes of a network namespace: of every table and family, of multipath routes, of next hop
 * objects, whether routes use them or not. Grows with {@link #learn}; what has gone goes with the next {@link #read}.
 * One thread at a time.
 */
public final class NextHops {
    private static final int NHA_GATEWAY = 6;
    private static final int NEXT_HOP_HEADER_BYTES = 8;
    private static final int ROUTE_HEADER_BYTES = 12;

    private final Set<Gateway> gateways = new HashSet<>();
    private boolean mayHaveLess;

    /** All there are now. */
    public static NextHops read(RouteSocket socket) throws OsException {
        NextHops hops = new NextHops();
        socket.forEach(RouteMessage.GET_ROUTE, new byte[ROUTE_HEADER_BYTES], hops::learn);
        try {
            socket.forEach(RouteMessage.GET_NEXT_HOP, new byte[NEXT_HOP_HEADER_BYTES], hops::learn);
        } catch (OsException e) {
            // Linux before 5.3 has none.
            if (e.errno() != OsException.EOPNOTSUPP) {
                throw e;
            }
        }
        return hops;
    }

    /** Takes in what an event tells; of other types nothing. */
    public void learn(RouteMessage message) {
        switch (message.type()) {
            case RouteMessage.NEW_ROUTE -> gateways.addAll(new Route(message).gateways());
            case RouteMessage.NEW_NEXT_HOP -> {
                byte[] gateway = message.attributes().getBytes(NHA_GATEWAY);
                if (gateway != null) {
                    gateways.add(new Gateway(message.family(), Addresses.of(gateway)));
                }
            }
            case RouteMessage.DELETE_ROUTE, RouteMessage.DELETE_NEXT_HOP -> mayHaveLess = true;
            default -> {}
        }
    }

    public boolean contains(int family, Address address) {
        return gateways.contains(new Gateway(family, address));
    }

    /** Whether routes have gone since it was read. */
    public boolean mayHaveLess() {
        return mayHaveLess;
    }
}
