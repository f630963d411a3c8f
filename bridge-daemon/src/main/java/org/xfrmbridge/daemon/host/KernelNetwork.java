package org.xfrmbridge.daemon.host;

import java.nio.ByteBuffer;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicInteger;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.xfrmbridge.daemon.os.NetlinkSocket;
import org.xfrmbridge.daemon.os.OsException;
import org.xfrmbridge.daemon.route.Link;
import org.xfrmbridge.daemon.route.Links;
import org.xfrmbridge.daemon.route.Neighbour;
import org.xfrmbridge.daemon.route.NextHops;
import org.xfrmbridge.daemon.route.Queries;
import org.xfrmbridge.daemon.route.Route;
import org.xfrmbridge.daemon.route.RouteMessage;
import org.xfrmbridge.daemon.route.RouteSocket;
import org.xfrmbridge.io.HostNetwork;
import org.xfrmbridge.netlink.nl.NetlinkReader;
import org.xfrmbridge.xfrm.Address;
import org.xfrmbridge.xfrm.AddressFamily;

/**
 * The kernel's routing and neighbour tables, asked over rtnetlink and followed through its groups. Datapath threads
 * ask, each by sockets of its own: none waits for another, but in {@link #isNextHop}. The control thread reads the
 * events and checks on next hops that are in use ({@link #refresh}), as a kernel does for hops that it sends to itself.
 *
 * <p>Of a next hop it is known what was told last, by an answer or an event. It is noted before it is asked for, so
 * that no event is missed; and whenever something else is told than before, all earlier answers become invalid, since
 * threads may be told in another order than the kernel changed it.
 */
public final class KernelNetwork implements HostNetwork, AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(KernelNetwork.class);

    // RTNLGRP_: LINK, NEIGH, IPV4_IFADDR, IPV4_ROUTE, IPV4_RULE, IPV6_IFADDR, IPV6_ROUTE, IPV6_RULE, MPLS_ROUTE,
    // NEXTHOP
    private static final int[] GROUPS = {1, 3, 5, 7, 8, 9, 11, 19, 27, 32};

    private static final int NO_MARK = 0;
    private static final long NOT_ASKED = -1;

    /**
     * More next hops than a host has. What is beyond is looked up and not watched, until {@link #refresh} makes room.
     */
    private static final int MAX_WATCHED = 4096;

    private final int hostIndex;
    private final String attachedName;
    private final int maxWatched;
    private final NetlinkSocket events = new NetlinkSocket(GROUPS);
    /** Of the thread that reads events: the control thread, and whoever asks {@link #isNextHop}. */
    private final RouteSocket socket = new RouteSocket();

    private final ThreadLocal<Queries> ownQueries = new ThreadLocal<>();
    private final ThreadLocal<SocketTable> ownSockets = ThreadLocal.withInitial(this::openSockets);
    private final Queue<Runnable> closing = new ConcurrentLinkedQueue<>();
    private final Map<Hop, Watch> watched = new ConcurrentHashMap<>();
    private final HostPacketSender ownPackets = new HostPacketSender();
    private volatile Link host;
    private volatile int rounds;
    private NextHops nextHops;
    private boolean nextHopFound;
    private volatile LocalAddresses local;
    private volatile PolicySettings settings;
    private volatile int attachedIndex;
    private final AtomicInteger generation = new AtomicInteger(1);

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
    public KernelNetwork(int hostIndex, String attachedName) throws OsException {
        this(hostIndex, attachedName, MAX_WATCHED);
    }

    KernelNetwork(int hostIndex, String attachedName, int maxWatched) throws OsException {
        this.hostIndex = hostIndex;
        this.attachedName = attachedName;
        this.maxWatched = maxWatched;
        this.host = new Links(socket).find(hostIndex);
        this.local = LocalAddresses.read(socket);
        this.nextHops = NextHops.read(socket);
        this.settings = PolicySettings.read(host.name());
        findAttached();
    }

    private void findAttached() throws OsException {
        Link attached = new Links(socket).find(attachedName);
        if (attached != null) {
            attachedIndex = attached.index();
        }
    }

    @Override
    public int generation() {
        return generation.get();
    }

    @Override
    public boolean isLocal(int family, long high, long low) {
        return local.contains(family, high, low);
    }

    @Override
    public boolean isLocalNow(int family, Address address) {
        try {
            Route route = queries().route(family, Address.ANY, address, NO_MARK);
            return route != null && route.type() == Route.LOCAL;
        } catch (OsException e) {
            LOG.warn(
                    "whether {} is an address of this host could not be asked: {}",
                    address.toText(family),
                    e.getMessage());
            return true;
        }
    }

    @Override
    public boolean isXfrmDisabled(int family) {
        return settings.isXfrmDisabled(family);
    }

    @Override
    public boolean isPolicyDisabled(int family) {
        return settings.isPolicyDisabled(family);
    }

    @Override
    public List<Address> localAddresses(int family) {
        return local.unicast(family);
    }

    @Override
    public int attachedIndex() {
        return attachedIndex;
    }

    @Override
    public int linkMtuBytes() {
        return host.mtuBytes();
    }

    @Override
    public NextHop resolve(int family, Address source, Address destination, int mark) {
        try {
            Route route = queries().route(family, source, destination, mark);
            if (route == null || route.outputIndex() != hostIndex || route.type() == Route.LOCAL) {
                return null;
            }
            long mac = macOf(family, destination, route);
            int mtuBytes = route.mtuBytes() == 0 ? host.mtuBytes() : Math.min(route.mtuBytes(), host.mtuBytes());
            return mac == 0 ? null : new NextHop(host.mac(), mac, mtuBytes);
        } catch (OsException e) {
            LOG.warn("the way to {} could not be asked for: {}", destination.toText(family), e.getMessage());
            return null;
        }
    }

    /** The calling thread's. */
    private Queries queries() throws OsException {
        Queries queries = ownQueries.get();
        if (queries == null) {
            RouteSocket own = new RouteSocket();
            closing.add(own::close);
            queries = new Queries(own);
            ownQueries.set(queries);
        }
        return queries;
    }

    private SocketTable openSockets() {
        SocketTable own = new SocketTable();
        closing.add(own::close);
        return own;
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
            generation.incrementAndGet();
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
    public Address sourceFor(int family, Address destination) {
        try {
            Route route = queries().route(family, Address.ANY, destination, NO_MARK);
            return route == null ? null : route.preferredSource();
        } catch (OsException e) {
            LOG.warn("the source towards {} could not be asked for: {}", destination.toText(family), e.getMessage());
            return null;
        }
    }

    @Override
    public long socketAt(int family, int protocol, Address local, int localPort, Address remote, int remotePort) {
        if (!SocketTable.knows(protocol)) {
            return UNKNOWN_SOCKET;
        }
        try {
            SocketEntry entry =
                    ownSockets.get().find(family, protocol, hostIndex, local, localPort, remote, remotePort);
            return entry == null ? 0 : entry.cookie();
        } catch (OsException e) {
            LOG.debug("the socket of a flow could not be asked for: {}", e.getMessage());
            return UNKNOWN_SOCKET;
        }
    }

    @Override
    public boolean sendAsHost(int family, byte[] data, int at, int bytes) {
        return ownPackets.send(family, data, at, bytes);
    }

    /** Readable when there are events. */
    public int fd() {
        return events.fd();
    }

    /**
     * Reads what changed: the control thread when there is something. However much it was, earlier answers become
     * invalid once.
     */
    public synchronized void handleEvents() throws OsException {
        boolean changed = false;
        boolean addressesChanged = false;
        try {
            for (ByteBuffer datagram = events.poll(); datagram != null; datagram = events.poll()) {
                NetlinkReader reader = new NetlinkReader(datagram);
                while (reader.next()) {
                    byte[] payload = new byte[reader.payload().remaining()];
                    reader.payload().get(payload);
                    RouteMessage message = new RouteMessage(reader.header().type(), payload);
                    nextHops.learn(message);
                    changed |= matters(message);
                    addressesChanged |= mayChangeAddresses(message);
                }
            }
        } catch (OsException e) {
            if (e.errno() != OsException.ENOBUFS) {
                throw e;
            }
            watched.clear();
            host = new Links(socket).find(hostIndex);
            findAttached();
            nextHops = NextHops.read(socket);
            changed = true;
            addressesChanged = true;
        }
        if (addressesChanged) {
            local = LocalAddresses.read(socket);
        }
        if (changed) {
            generation.incrementAndGet();
        }
    }

    private boolean matters(RouteMessage message) throws OsException {
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

    private static boolean mayChangeAddresses(RouteMessage message) {
        return switch (message.type()) {
            case RouteMessage.NEW_ADDRESS, RouteMessage.DELETE_ADDRESS -> true;
            case RouteMessage.NEW_ROUTE, RouteMessage.DELETE_ROUTE -> new Route(message).type() != Route.UNICAST;
            default -> false;
        };
    }

    /**
     * Control thread, every few seconds: reads settings, of whose changes nobody tells, and lets the kernel check on
     * next hops, since the frames sent to them do not pass it. One that does not answer and is not asked for any more
     * is forgotten.
     */
    public synchronized void refresh() throws OsException {
        PolicySettings now = PolicySettings.read(host.name());
        if (!now.equals(settings)) {
            settings = now;
            generation.incrementAndGet();
        }
        rounds++;
        if (nextHopFound && nextHops.mayHaveLess()) {
            // Only when one was asked for that may have gone: there may be a million routes that come and go.
            nextHops = NextHops.read(socket);
        }
        nextHopFound = false;
        if (watched.size() >= maxWatched) {
            // Nobody tells which of them are in use: who uses one asks again.
            watched.clear();
            generation.incrementAndGet();
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

    @Override
    public void close() {
        ownPackets.close();
        events.close();
        socket.close();
        closing.forEach(Runnable::run);
    }
}
