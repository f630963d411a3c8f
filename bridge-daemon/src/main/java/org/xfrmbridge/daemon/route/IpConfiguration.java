package org.xfrmbridge.daemon.route;

import java.util.ArrayList;
import java.util.List;
import org.xfrmbridge.daemon.os.OsException;

/**
 * What makes an interface a part of the IP host: addresses, routes of all tables and permanent neighbours, in an order
 * in which they can be added again. Left out is what the kernel makes by itself: the local table's entries and
 * temporary IPv6 addresses.
 *
 * @param addresses RTM_NEWADDR messages; IPv4 oldest first, so that the primary one stays primary
 * @param routes RTM_NEWROUTE messages, those that others need as next hop first
 * @param neighbours RTM_NEWNEIGH messages, permanent and proxy entries
 */
public record IpConfiguration(List<RouteMessage> addresses, List<RouteMessage> routes, List<RouteMessage> neighbours) {
    public static final IpConfiguration EMPTY = new IpConfiguration(List.of(), List.of(), List.of());

    private static final int AF_INET = 2;
    private static final int AF_INET6 = 10;
    private static final int NTF_PROXY = 0x08;

    /** Reads the configuration of an interface. */
    public static IpConfiguration read(RouteSocket socket, int index) throws OsException {
        return new IpConfiguration(addresses(socket, index), routes(socket, index), neighbours(socket, index));
    }

    private static List<RouteMessage> addresses(RouteSocket socket, int index) throws OsException {
        List<RouteMessage> ipv4 = new ArrayList<>();
        List<RouteMessage> ipv6 = new ArrayList<>();
        for (RouteMessage message : socket.dump(RouteMessage.GET_ADDRESS, new byte[8])) {
            AddressMessage address = new AddressMessage(message);
            if (address.index() != index || address.isTemporary()) {
                continue;
            }
            if (message.family() == AF_INET) {
                ipv4.add(message);
            } else if (message.family() == AF_INET6) {
                // The kernel puts the newest first, within a scope.
                ipv6.addFirst(message);
            }
        }
        ipv4.addAll(ipv6);
        return ipv4;
    }

    private static List<RouteMessage> routes(RouteSocket socket, int index) throws OsException {
        List<RouteMessage> onLink = new ArrayList<>();
        List<RouteMessage> viaGateway = new ArrayList<>();
        for (int family : new int[] {AF_INET, AF_INET6}) {
            byte[] header = new byte[12];
            header[0] = (byte) family;
            for (RouteMessage message : socket.dump(RouteMessage.GET_ROUTE, header)) {
                Route route = new Route(message);
                if (route.uses(index) && !route.isMadeByKernel()) {
                    (route.hasGateway() ? viaGateway : onLink).add(message);
                }
            }
        }
        onLink.addAll(viaGateway);
        return onLink;
    }

    private static List<RouteMessage> neighbours(RouteSocket socket, int index) throws OsException {
        List<RouteMessage> found = new ArrayList<>();
        for (int flags : new int[] {0, NTF_PROXY}) {
            byte[] header = new byte[12];
            header[10] = (byte) flags;
            for (RouteMessage message : socket.dump(RouteMessage.GET_NEIGHBOUR, header)) {
                Neighbour neighbour = new Neighbour(message);
                if (neighbour.index() == index && (neighbour.isPermanent() || neighbour.isProxy())) {
                    found.add(message);
                }
            }
        }
        return found;
    }

    /**
     * With another one's neighbours before its own: a kernel forgets proxy entries when the interface loses its
     * carrier.
     */
    public IpConfiguration withNeighboursOf(IpConfiguration other) {
        List<RouteMessage> all = new ArrayList<>(other.neighbours);
        all.addAll(neighbours);
        return new IpConfiguration(addresses, routes, all);
    }
}
