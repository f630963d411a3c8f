package org.xfrmbridge.daemon.host;

import java.nio.ByteBuffer;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicInteger;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.xfrmbridge.daemon.os.EventSource;
import org.xfrmbridge.daemon.os.NetlinkSocket;
import org.xfrmbridge.daemon.os.OsException;
import org.xfrmbridge.daemon.route.Queries;
import org.xfrmbridge.daemon.route.Route;
import org.xfrmbridge.daemon.route.RouteMessage;
import org.xfrmbridge.daemon.route.RouteSocket;
import org.xfrmbridge.io.HostNetwork;
import org.xfrmbridge.netlink.nl.NetlinkReader;
import org.xfrmbridge.xfrm.Address;

/**
 * The kernel's routing tables, addresses and sockets, asked over netlink and followed through its groups. Datapath
 * threads ask, each by sockets of its own: none waits for another, but in {@link WireNetwork#isNextHop}. The control
 * thread reads the events, and what nobody tells of every few seconds ({@link #refresh}). What an answer depends on is
 * a matter of where the datapath stands.
 */
public abstract sealed class KernelNetwork implements HostNetwork, EventSource permits WireNetwork, StackNetwork {
    private static final Logger LOG = LoggerFactory.getLogger(KernelNetwork.class);
    private static final int NO_MARK = 0;

    /** Of the thread that reads events: the control thread, and whoever asks {@link #isNextHop}. */
    final RouteSocket socket = new RouteSocket();

    private final String settingsOf;
    private final NetlinkSocket events;
    private final ThreadLocal<Queries> ownQueries = new ThreadLocal<>();
    private final ThreadLocal<SocketTable> ownSockets = ThreadLocal.withInitial(this::openSockets);
    private final ThreadLocal<Connections> ownConnections = new ThreadLocal<>();
    private final Queue<Runnable> closing = new ConcurrentLinkedQueue<>();
    private final HostPacketSender ownPackets = new HostPacketSender();
    private final AtomicInteger generation = new AtomicInteger(1);
    private volatile LocalAddresses local;
    private volatile PolicySettings settings;

    /**
     * @param settingsOf interface by whose settings policies may be disabled
     * @param groups RTNLGRP_ numbers of the changes that answers may depend on
     */
    KernelNetwork(String settingsOf, int... groups) throws OsException {
        this.settingsOf = settingsOf;
        this.events = new NetlinkSocket(groups);
        this.local = LocalAddresses.read(socket);
        this.settings = PolicySettings.read(settingsOf);
    }

    /** Whether earlier answers may have become wrong by what an event tells. */
    abstract boolean matters(RouteMessage event) throws OsException;

    /** Events were lost: what is known from them is asked for anew. */
    abstract void relearn() throws OsException;

    /** Index of the interface that {@link #socketAt} is asked for, 0 for any. */
    abstract int socketIndex();

    final void outdate() {
        generation.incrementAndGet();
    }

    @Override
    public final int generation() {
        return generation.get();
    }

    @Override
    public final boolean isLocal(int family, long high, long low) {
        return local.contains(family, high, low);
    }

    @Override
    public final boolean isLocalNow(int family, Address address) {
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
    public final boolean isXfrmDisabled(int family) {
        return settings.isXfrmDisabled(family);
    }

    @Override
    public final boolean isPolicyDisabled(int family) {
        return settings.isPolicyDisabled(family);
    }

    @Override
    public final List<Address> localAddresses(int family) {
        return local.unicast(family);
    }

    /** The route of a packet, or null if there is none or the kernel does not say. */
    final Route route(int family, Address source, Address destination, int mark) {
        return route(family, source, destination, mark, 0);
    }

    /** The same in a VRF, by the index of its device. */
    final Route route(int family, Address source, Address destination, int mark, int vrf) {
        try {
            return queries().route(family, source, destination, mark, vrf);
        } catch (OsException e) {
            LOG.warn("the way to {} could not be asked for: {}", destination.toText(family), e.getMessage());
            return null;
        }
    }

    /** The calling thread's. */
    final Queries queries() throws OsException {
        Queries queries = ownQueries.get();
        if (queries == null) {
            RouteSocket own = new RouteSocket();
            closing.add(own::close);
            queries = new Queries(own);
            ownQueries.set(queries);
        }
        return queries;
    }

    @Override
    public final void forgetConnection(int family, int protocol, byte[] data, int network, int transport) {
        try {
            Connections connections = ownConnections.get();
            if (connections == null) {
                Connections own = new Connections();
                closing.add(own::close);
                ownConnections.set(own);
                connections = own;
            }
            connections.forget(family, protocol, data, network, transport);
        } catch (OsException e) {
            LOG.debug("a connection could not be forgotten: {}", e.getMessage());
        }
    }

    /** The calling thread's. */
    final SocketTable sockets() {
        return ownSockets.get();
    }

    private SocketTable openSockets() {
        SocketTable own = new SocketTable();
        closing.add(own::close);
        return own;
    }

    @Override
    public final Address sourceFor(int family, Address destination) {
        Route route = route(family, Address.ANY, destination, NO_MARK);
        return route == null ? null : route.preferredSource();
    }

    @Override
    public final long socketAt(
            int family, int protocol, Address localAddress, int localPort, Address remote, int remotePort) {
        if (!SocketTable.knows(protocol)) {
            return UNKNOWN_SOCKET;
        }
        try {
            SocketEntry entry =
                    sockets().find(family, protocol, socketIndex(), localAddress, localPort, remote, remotePort);
            return entry == null ? 0 : entry.cookie();
        } catch (OsException e) {
            LOG.debug("the socket of a flow could not be asked for: {}", e.getMessage());
            return UNKNOWN_SOCKET;
        }
    }

    @Override
    public final boolean sendAsHost(int family, byte[] data, int at, int bytes) {
        return ownPackets.send(family, data, at, bytes);
    }

    @Override
    public final int fd() {
        return events.fd();
    }

    /**
     * Reads what changed: the control thread when there is something. However much it was, earlier answers become
     * invalid once.
     */
    @Override
    public final synchronized void handleEvents() throws OsException {
        boolean changed = false;
        boolean addressesChanged = false;
        try {
            for (ByteBuffer datagram = events.poll(); datagram != null; datagram = events.poll()) {
                NetlinkReader reader = new NetlinkReader(datagram);
                while (reader.next()) {
                    RouteMessage message = RouteMessage.copyOf(reader);
                    changed |= matters(message);
                    addressesChanged |= mayChangeAddresses(message);
                }
            }
        } catch (OsException e) {
            if (e.errno() != OsException.ENOBUFS) {
                throw e;
            }
            relearn();
            changed = true;
            addressesChanged = true;
        }
        if (addressesChanged) {
            local = LocalAddresses.read(socket);
        }
        if (changed) {
            outdate();
        }
    }

    private static boolean mayChangeAddresses(RouteMessage message) {
        return switch (message.type()) {
            case RouteMessage.NEW_ADDRESS, RouteMessage.DELETE_ADDRESS -> true;
            case RouteMessage.NEW_ROUTE, RouteMessage.DELETE_ROUTE -> new Route(message).type() != Route.UNICAST;
            default -> false;
        };
    }

    /** Every few seconds, of one thread: looks for sockets, of which nobody tells. */
    public void lookAtSockets() {}

    /** Control thread, every few seconds: reads settings, of whose changes nobody tells. */
    public synchronized void refresh() throws OsException {
        PolicySettings now = PolicySettings.read(settingsOf);
        if (!now.equals(settings)) {
            settings = now;
            outdate();
        }
    }

    @Override
    public final void close() {
        ownPackets.close();
        events.close();
        socket.close();
        closing.forEach(Runnable::run);
    }
}
