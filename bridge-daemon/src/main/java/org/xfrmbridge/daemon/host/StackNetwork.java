package org.xfrmbridge.daemon.host;

import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.function.IntPredicate;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.xfrmbridge.daemon.os.OsException;
import org.xfrmbridge.daemon.route.Link;
import org.xfrmbridge.daemon.route.Links;
import org.xfrmbridge.daemon.route.Route;
import org.xfrmbridge.daemon.route.RouteMessage;
import org.xfrmbridge.xfrm.Address;

/**
 * The host as a datapath sees it that stands in its stack: every way out counts, whatever the interface, and the stack
 * finds the neighbours itself.
 */
public final class StackNetwork extends KernelNetwork {
    private static final Logger LOG = LoggerFactory.getLogger(StackNetwork.class);
    // RTNLGRP_: LINK, IPV4_IFADDR, IPV4_ROUTE, IPV4_RULE, IPV6_IFADDR, IPV6_ROUTE, IPV6_RULE, MPLS_ROUTE, NEXTHOP
    private static final int[] GROUPS = {1, 5, 7, 8, 9, 11, 19, 27, 32};

    /** The longest IPv6 packet without a jumbo payload, longer than any of IPv4. */
    private static final int LONGEST_PACKET = 40 + 65_535;

    private static final int[] NO_VRFS = {};

    private final IntPredicate arrivals;
    private volatile BoundServers servers = BoundServers.NONE;
    private volatile Map<Integer, Way> ways;
    /** The device of its VRF, by the index of an interface; as long as it has to be. */
    private volatile int[] vrfs = NO_VRFS;

    /** What of an interface an answer may depend on. */
    private record Way(String name, int mtuBytes, boolean isUp, int master, boolean isVrf) {
        static Way of(Link link) {
            return new Way(link.name(), link.mtuBytes(), link.isUp(), link.master(), link.isVrf());
        }
    }

    /** @param arrivals whether what was opened can come in by a device */
    public StackNetwork(IntPredicate arrivals) throws OsException {
        super(PolicySettings.ALL, GROUPS);
        this.arrivals = arrivals;
        relearn();
    }

    @Override
    void relearn() throws OsException {
        Map<Integer, Way> found = new HashMap<>();
        for (Link link : new Links(socket).all()) {
            found.put(link.index(), Way.of(link));
        }
        use(found);
    }

    private void use(Map<Integer, Way> found) {
        ways = found;
        int[] next = NO_VRFS;
        for (Map.Entry<Integer, Way> entry : found.entrySet()) {
            int index = entry.getKey();
            Way way = entry.getValue();
            Way master = found.get(way.master);
            if (way.isVrf || master != null && master.isVrf) {
                next = next.length > index ? next : Arrays.copyOf(next, index + 1);
                next[index] = way.isVrf ? index : way.master;
            }
        }
        vrfs = next;
    }

    @Override
    public int vrfOf(int ifindex) {
        int[] now = vrfs;
        return ifindex < now.length ? now[ifindex] : 0;
    }

    @Override
    int socketIndex() {
        return 0;
    }

    @Override
    public boolean isBoundTo(
            int ifindex, int family, int protocol, Address here, int localPort, Address remote, int remotePort) {
        if (!SocketTable.knows(protocol)) {
            return false;
        }
        try {
            SocketEntry entry = sockets().find(family, protocol, ifindex, here, localPort, remote, remotePort);
            return entry != null && entry.boundTo() == ifindex;
        } catch (OsException e) {
            LOG.debug("whether a flow's socket is bound could not be asked for: {}", e.getMessage());
            return false;
        }
    }

    @Override
    public boolean isServedAt(int ifindex, int protocol, int port) {
        return servers.isAt(ifindex, protocol, port);
    }

    @Override
    public boolean takesOpened(int ifindex) {
        return arrivals.test(ifindex);
    }

    @Override
    public void lookAtSockets() {
        try {
            servers = BoundServers.read(sockets());
        } catch (OsException e) {
            LOG.debug("sockets that are bound to interfaces could not be looked for: {}", e.getMessage());
        }
    }

    /** The interface by which a packet leaves is asked for each. */
    @Override
    public int linkMtuBytes() {
        return LONGEST_PACKET;
    }

    @Override
    public NextHop resolve(int family, Address source, Address destination, int mark) {
        return resolve(family, source, destination, mark, 0);
    }

    @Override
    public NextHop resolve(int family, Address source, Address destination, int mark, int vrf) {
        Route route = way(family, source, destination, mark, vrf);
        if (route == null) {
            return null;
        }
        Way way = ways.get(route.outputIndex());
        int mtuBytes = way == null ? LONGEST_PACKET : way.mtuBytes;
        return new NextHop(0, 0, route.mtuBytes() == 0 ? mtuBytes : Math.min(route.mtuBytes(), mtuBytes));
    }

    @Override
    public int outputIndex(int family, Address source, Address destination, int mark) {
        Route route = way(family, source == null ? Address.ANY : source, destination, mark, 0);
        return route == null ? 0 : route.outputIndex();
    }

    /**
     * Of a source that is not the host's, as forwarded packets have, a kernel knows no way: then that of any source.
     */
    private Route way(int family, Address source, Address destination, int mark, int vrf) {
        Route route = route(family, source, destination, mark, vrf);
        return route == null && !source.isAny(family) ? route(family, Address.ANY, destination, mark, vrf) : route;
    }

    /** Nobody is answered for here. */
    @Override
    public boolean isNextHop(int family, Address address) {
        return true;
    }

    /** Nobody is answered for here. */
    @Override
    public boolean isOnSubnet(int family, Address address) {
        return true;
    }

    @Override
    boolean matters(RouteMessage message) {
        return switch (message.type()) {
            case RouteMessage.NEW_LINK -> changed(message.headerInt(4), Way.of(Link.of(message)));
            case RouteMessage.DELETE_LINK -> changed(message.headerInt(4), null);
            default -> true;
        };
    }

    private boolean changed(int index, Way now) {
        Map<Integer, Way> next = new HashMap<>(ways);
        Way before = now == null ? next.remove(index) : next.put(index, now);
        use(next);
        return now == null ? before != null : !now.equals(before);
    }
}
