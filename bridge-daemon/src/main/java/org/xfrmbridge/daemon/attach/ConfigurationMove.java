package org.xfrmbridge.daemon.attach;

import java.util.ArrayList;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.xfrmbridge.daemon.os.OsException;
import org.xfrmbridge.daemon.route.AddressMessage;
import org.xfrmbridge.daemon.route.IpConfiguration;
import org.xfrmbridge.daemon.route.Link;
import org.xfrmbridge.daemon.route.Neighbour;
import org.xfrmbridge.daemon.route.Route;
import org.xfrmbridge.daemon.route.RouteMessage;
import org.xfrmbridge.daemon.route.RouteSocket;
import org.xfrmbridge.netlink.nl.NetlinkHeader;

/**
 * Takes an IP configuration from one interface and gives it to another. Both steps may be repeated: what is done
 * already is no error.
 */
final class ConfigurationMove {
    private static final Logger LOG = LoggerFactory.getLogger(ConfigurationMove.class);
    private static final int ADD = NetlinkHeader.CREATE | NetlinkHeader.EXCLUSIVE;
    private static final int AF_INET6 = 10;

    private final RouteSocket socket;

    ConfigurationMove(RouteSocket socket) {
        this.socket = socket;
    }

    /** Removes a configuration; routes that need an address go with it by themselves. */
    void remove(IpConfiguration configuration, int index) throws OsException {
        for (RouteMessage neighbour : configuration.neighbours()) {
            delete(neighbour, RouteMessage.DELETE_NEIGHBOUR);
        }
        for (RouteMessage route : configuration.routes().reversed()) {
            if (new Route(route).outputIndex() == index) {
                delete(route, RouteMessage.DELETE_ROUTE);
            }
        }
        for (RouteMessage address : configuration.addresses()) {
            delete(address, RouteMessage.DELETE_ADDRESS);
        }
    }

    private void delete(RouteMessage message, int type) throws OsException {
        try {
            socket.change(new RouteMessage(type, message.payload()), 0);
        } catch (OsException e) {
            boolean gone = switch (e.errno()) {
                case OsException.ENOENT,
                        OsException.ESRCH,
                        OsException.EADDRNOTAVAIL,
                        OsException.ENODEV,
                        OsException.ENXIO -> true;
                default -> false;
            };
            if (!gone) {
                throw e;
            }
        }
    }

    /** Gives a configuration read from {@code from} to {@code to}, which must be up. */
    void add(IpConfiguration configuration, Link from, Link to) throws OsException {
        for (RouteMessage address : configuration.addresses()) {
            addAddress(new AddressMessage(address).movedTo(from, to));
        }
        List<RouteMessage> routes = new ArrayList<>();
        for (RouteMessage route : configuration.routes()) {
            routes.add(new Route(route).movedTo(from.index(), to.index()));
        }
        addRoutes(routes);
        addNeighbours(configuration, to);
    }

    void addNeighbours(IpConfiguration configuration, Link to) throws OsException {
        for (RouteMessage neighbour : configuration.neighbours()) {
            change(new Neighbour(neighbour).movedTo(to.index()), NetlinkHeader.CREATE | NetlinkHeader.REPLACE);
        }
    }

    private void addAddress(RouteMessage address) throws OsException {
        if (address.family() != AF_INET6) {
            change(address, ADD);
            return;
        }
        // Not to be doubted while it moves; the second message gives it its own flags back.
        change(new AddressMessage(address).withoutDetection(), ADD);
        change(address, NetlinkHeader.REPLACE);
    }

    /** A route may need another one to reach its next hop, so those that fail are tried again as long as that helps. */
    private void addRoutes(List<RouteMessage> routes) throws OsException {
        List<RouteMessage> waiting = routes;
        OsException reason = null;
        for (int before = waiting.size() + 1; !waiting.isEmpty() && waiting.size() < before; ) {
            before = waiting.size();
            List<RouteMessage> failed = new ArrayList<>();
            for (RouteMessage route : waiting) {
                try {
                    change(route, ADD);
                } catch (OsException e) {
                    reason = e;
                    failed.add(route);
                }
            }
            waiting = failed;
        }
        for (RouteMessage lost : waiting) {
            LOG.warn("a route to {} could not be moved: {}", new Route(lost).destination(), reason.getMessage());
        }
    }

    void change(RouteMessage message, int flags) throws OsException {
        try {
            socket.change(message, flags);
        } catch (OsException e) {
            if (e.errno() != OsException.EEXIST) {
                throw e;
            }
        }
    }

    /**
     * Takes an interface's IPv6 multicast routes, which come with its going up, so that the host sends nothing there.
     */
    List<RouteMessage> silence(int index) throws OsException {
        List<RouteMessage> removed = new ArrayList<>();
        byte[] header = new byte[12];
        header[0] = AF_INET6;
        for (RouteMessage message : socket.dump(RouteMessage.GET_ROUTE, header)) {
            Route route = new Route(message);
            if (route.outputIndex() == index && route.type() == Route.MULTICAST) {
                delete(message, RouteMessage.DELETE_ROUTE);
                removed.add(route.movedTo(index, index));
            }
        }
        return removed;
    }
}
