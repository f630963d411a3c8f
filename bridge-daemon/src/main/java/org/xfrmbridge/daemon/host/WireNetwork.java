package org.xfrmbridge.daemon.host;

import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.xfrmbridge.daemon.os.OsException;
import org.xfrmbridge.daemon.route.Link;
import org.xfrmbridge.daemon.route.Links;
import org.xfrmbridge.daemon.route.Neighbour;
import org.xfrmbridge.daemon.route.NextHops;
import org.xfrmbridge.daemon.route.Route;
import org.xfrmbridge.daemon.route.RouteMessage;
import org.xfrmbridge.daemon.route.RouteSocket;
import org.xfrmbridge.xfrm.Address;
import org.xfrmbridge.xfrm.AddressFamily;

/**
 * The host as a datapath sees it that stands in front of one interface of it: only ways through that count, and frames
 * need the neighbour's link address. The control thread checks on next hops that are in use ({@link #refresh}), as a
 * kernel does for hops that it sends to itself.
 *
 * <p>Of a next hop it is known what was told last, by an answer or an event. It is noted before it is asked for, so
 * that no event is missed; and whenever something else is told than before, all earlier answers become invalid, since
 * threads may be told in another order than the kernel changed it.
 */
public final class WireNetwork extends KernelNetwork {
    private static final Logger LOG = LoggerFactory.getLogger(WireNetwork.class);

    // RTNLGRP_: LINK, NEIGH, IPV4_IFADDR, IPV4_ROUTE, IPV4_RULE, IPV6_IFADDR, IPV6_ROUTE, IPV6_RULE, MPLS_ROUTE,
    // NEXTHOP
    private static final int[] GROUPS = {1, 3, 5, 7, 8, 9, 11, 19, 27, 32};

    private static final long NOT_ASKED = -1;

    /**
     * More next hops than a host has. What is beyond is looked up and not watched, until {@link #refresh} makes room.
     */
    private static final int MAX_WATCHED = 4096;

    private final int hostIndex;
    private final String attachedName;
    private final int maxWatched;
    private final Map<Hop, Watch> watched = new ConcurrentHashMap<>();
    private volatile Link host;
    private volatile int rounds;
    private NextHops nextHops;
    private boolean nextHopFound;
    private volatile int attachedIndex;

    private record Hop(int family, Address address) {}

    /**
     * @param mac as it was told last; 0 while the kernel does not know it, {@link #NOT_ASKED} until it was asked
     * @param askedInRound of {@link #refresh}: whoever has no answer asks again every second that it has packets
     */
    private record Watch(long mac, int askedInRound) {}

    /**
     * @param hostIndex of the TAP that has the host's IP configuration: only ways through it count
     * @param attachedName of the interface whose place it has
     */
    public WireNetwork(int hostIndex, String attachedName) throws OsException {
        this(hostIndex, attachedName, MAX_WATCHED);
    }

    WireNetwork(int hostIndex, String attachedName, int maxWatched) throws OsException {
        super(nameOf(hostIndex), GROUPS);
        this.hostIndex = hostIndex;
        this.attachedName = attachedName;
        this.maxWatched = maxWatched;
        this.host = new Links(socket).find(hostIndex);
        this.nextHops = NextHops.read(socket);
        findAttached();
    }

    private static String nameOf(int index) throws OsException {
        try (RouteSocket asking = new RouteSocket()) {
            return new Links(asking).find(index).name();
        }
    }

    private void findAttached() throws OsException {
        Link attached = new Links(socket).find(attachedName);
        if (attached != null) {
            attachedIndex = attached.index();
        }
    }

    @Override
    public int attachedIndex() {
        return attachedIndex;
    }

    @Override
    int socketIndex() {
        return hostIndex;
    }

    @Override
    public int linkMtuBytes() {
        return host.mtuBytes();
    }

    @Override
    public NextHop resolve(int family, Address source, Address destination, int mark) {
        Route route = route(family, source, destination, mark);
        if (route == null || route.outputIndex() != hostIndex || route.type() == Route.LOCAL) {
            return null;
        }
        try {
            long mac = macOf(family, destination, route);
            int mtuBytes = route.mtuBytes() == 0 ? host.mtuBytes() : Math.min(route.mtuBytes(), host.mtuBytes());
            return mac == 0 ? null : new NextHop(host.mac(), mac, mtuBytes);
        } catch (OsException e) {
            LOG.warn("the neighbour towards {} could not be asked for: {}", destination.toText(family), e.getMessage());
            return null;
        }
    }

    private long macOf(int family, Address destination, Route route) throws OsException {
        if (route.type() == Route.BROADCAST) {
            return 0xffff_ffff_ffffL;
        }
        if (route.type() == Route.MULTICAST) {
            // RFC 1112 6.4 and RFC 2464 7.
            return family == AddressFamily.INET
                    ? 0x0100_5e00_0000L | destination.ipv4() & 0x7f_ffff
                    : 0x3333_0000_0000L | destination.low() & 0xffff_ffffL;
        }
        Route.Gateway gateway = route.gateway();
        Hop hop = gateway == null ? new Hop(family, destination) : new Hop(gateway.family(), gateway.address());
        boolean isWatched = watch(hop);
        Neighbour neighbour = queries().neighbour(hostIndex, hop.family(), hop.address());
        long mac = neighbour == null ? 0 : neighbour.mac();
        if (mac == TUNNEL_NEIGHBOUR_MAC) {
            // It was taken for one that is behind a tunnel, before it was the way to a tunnel's end.
            queries().forgetNeighbour(hostIndex, hop.family(), hop.address());
            mac = 0;
        }
        if (isWatched) {
            learn(hop, mac);
        }
        if (mac == 0 || neighbour.isStale()) {
            queries().useNeighbour(hostIndex, hop.family(), hop.address());
        }
        return mac;
    }

    /** Before it is asked for. False if there is no room. */
    private boolean watch(Hop hop) {
        if (watched.containsKey(hop)) {
            return true;
        }
        if (watched.size() >= maxWatched) {
            return false;
        }
        watched.putIfAbsent(hop, new Watch(NOT_ASKED, rounds));
        return true;
    }

    private void learn(Hop hop, long mac) {
        Watch before = watched.put(hop, new Watch(mac, rounds));
        // Without one it was forgotten meanwhile, and an event with it.
        if (before == null || before.mac != NOT_ASKED && before.mac != mac) {
            outdate();
        }
    }

    @Override
    public synchronized boolean isNextHop(int family, Address address) {
        try {
            // A route may have come a moment ago, and the host looks for its gateway at once.
            handleEvents();
        } catch (OsException e) {
            LOG.warn("whether {} is a next hop could not be asked for: {}", address.toText(family), e.getMessage());
            return true;
        }
        boolean found = nextHops.contains(family, address);
        nextHopFound |= found;
        return found || watched.containsKey(new Hop(family, address));
    }

    @Override
    public boolean isOnSubnet(int family, Address address) {
        try {
            Route entry = queries().entry(family, address);
            return entry == null || entry.isOfAddress();
        } catch (OsException e) {
            LOG.warn("the route to {} could not be asked for: {}", address.toText(family), e.getMessage());
            return true;
        }
    }

    @Override
    boolean matters(RouteMessage message) throws OsException {
        nextHops.learn(message);
        return switch (message.type()) {
            case RouteMessage.NEW_NEIGHBOUR -> neighbourChanged(new Neighbour(message), new Neighbour(message).mac());
            case RouteMessage.DELETE_NEIGHBOUR -> neighbourChanged(new Neighbour(message), 0);
            case RouteMessage.NEW_LINK ->
                message.headerInt(4) == hostIndex ? hostChanged() : attachedChanged(Link.of(message));
            case RouteMessage.DELETE_LINK -> false;
            default -> true;
        };
    }

    /** Only another MAC address counts: states change all the time, and nobody asked for most neighbours. */
    private boolean neighbourChanged(Neighbour neighbour, long mac) {
        Hop hop = new Hop(neighbour.message().family(), neighbour.address());
        Watch known = neighbour.index() == hostIndex ? watched.get(hop) : null;
        if (known == null || known.mac == mac) {
            return false;
        }
        watched.put(hop, new Watch(mac, known.askedInRound));
        return true;
    }

    /** One that was removed keeps its number until there is another of its name. */
    private boolean attachedChanged(Link link) {
        if (link.index() == attachedIndex || !attachedName.equals(link.name())) {
            return false;
        }
        attachedIndex = link.index();
        return true;
    }

    private boolean hostChanged() throws OsException {
        Link now = new Links(socket).find(hostIndex);
        if (now == null || now.mac() == host.mac() && now.mtuBytes() == host.mtuBytes()) {
            return false;
        }
        host = now;
        return true;
    }

    @Override
    void relearn() throws OsException {
        watched.clear();
        host = new Links(socket).find(hostIndex);
        findAttached();
        nextHops = NextHops.read(socket);
    }

    /**
     * Lets the kernel check on next hops, too, since the frames sent to them do not pass it. One that does not answer
     * and is not asked for any more is forgotten.
     */
    @Override
    public synchronized void refresh() throws OsException {
        super.refresh();
        rounds++;
        if (nextHopFound && nextHops.mayHaveLess()) {
            // Only when one was asked for that may have gone: there may be a million routes that come and go.
            nextHops = NextHops.read(socket);
        }
        nextHopFound = false;
        if (watched.size() >= maxWatched) {
            // Nobody tells which of them are in use: who uses one asks again.
            watched.clear();
            outdate();
            return;
        }
        watched.values().removeIf(watch -> watch.mac <= 0 && rounds - watch.askedInRound > 1);
        for (Map.Entry<Hop, Watch> entry : watched.entrySet()) {
            Hop hop = entry.getKey();
            Neighbour neighbour = queries().neighbour(hostIndex, hop.family(), hop.address());
            if (neighbour == null || neighbour.isStale() || entry.getValue().mac == 0) {
                queries().useNeighbour(hostIndex, hop.family(), hop.address());
            }
        }
    }
}
