package org.xfrmbridge.daemon.attach;

import java.nio.ByteBuffer;
import java.security.SecureRandom;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.xfrmbridge.daemon.nft.OthersRules;
import org.xfrmbridge.daemon.os.NetlinkSocket;
import org.xfrmbridge.daemon.os.OsException;
import org.xfrmbridge.daemon.port.Shortcuts;
import org.xfrmbridge.daemon.route.Link;
import org.xfrmbridge.daemon.route.Links;
import org.xfrmbridge.daemon.route.Neighbour;
import org.xfrmbridge.daemon.route.Queries;
import org.xfrmbridge.daemon.route.Route;
import org.xfrmbridge.daemon.route.Route.Gateway;
import org.xfrmbridge.daemon.route.RouteMessage;
import org.xfrmbridge.daemon.route.RouteSocket;
import org.xfrmbridge.db.FlowCache;
import org.xfrmbridge.net.FlowDecoder;
import org.xfrmbridge.net.IpPacket;
import org.xfrmbridge.netlink.nl.NetlinkReader;
import org.xfrmbridge.time.Clock;
import org.xfrmbridge.xfrm.Address;
import org.xfrmbridge.xfrm.Flow;

/**
 * Shortcuts on a host where nobody else has rules for what it sends, and has no connections tracked: there the IP layer
 * only finds the route and the neighbour, which are asked of it once in a while. The same thread reads before each
 * batch what the kernel tells of rules, routes and neighbours. So a change that was made before a packet is sent holds
 * for it, as in the IP layer; of what nobody tells it hears within a tenth of a second ({@link OthersRules#haveUntold})
 * or a second (redirects). One thread.
 */
final class StackShortcuts implements Shortcuts {
    private static final Logger LOG = LoggerFactory.getLogger(StackShortcuts.class);

    // RTNLGRP_: LINK, NEIGH, IPV4_IFADDR, IPV4_ROUTE, IPV4_RULE, IPV6_IFADDR, IPV6_ROUTE, IPV6_RULE, IPV4_NETCONF,
    // NEXTHOP
    private static final int[] GROUPS = {1, 3, 5, 7, 8, 9, 11, 19, 24, 32};

    /** After a change: hosts that change all the time do without. Also how often is asked what nobody tells of. */
    private static final long REST_NS = 100_000_000;

    private static final long VALID_NS = 1_000_000_000;
    private static final int FLOWS = 1024;

    /** A question takes some 20 microseconds: for the packets of more flows there is no time to ask. */
    private static final int QUESTIONS_PER_REST = 64;

    private static final int MOST_HOPS = 4096;

    private static final byte[] RULES_OF_ALL_FAMILIES = new byte[12];
    private static final int FRA_IP_PROTO = 22;

    private final Clock clock;
    private final int userBits;
    private final NetlinkSocket events = new NetlinkSocket(GROUPS);
    private final RouteSocket socket = new RouteSocket();
    private final Queries queries = new Queries(socket);
    private final Links links = new Links(socket);
    private final OthersRules rules;

    private final FlowCache<Found> found = new FlowCache<>(FLOWS, new SecureRandom().nextLong());
    private final Set<Hop> hops = new HashSet<>();
    private final Map<Integer, Boolean> usable = new HashMap<>();
    private final Flow flow = new Flow();
    private int generation;
    private int questions;
    private boolean isOpen;
    private long nowNs;
    private long restEndsNs;

    private record Hop(int ifindex, Address address) {
        // As a record's own, but without the classes that the JVM makes for these, for which the first packet would
        // wait.

        @Override
        public boolean equals(Object object) {
            return object instanceof Hop other && ifindex == other.ifindex && address.equals(other.address);
        }

        @Override
        public int hashCode() {
            return 31 * ifindex + address.hashCode();
        }
    }

    /** @param shortcut null if there is none */
    private record Found(Shortcut shortcut, int generation, long untilNs) {}

    /** @param markBit the bit of marks that is the bridge's */
    StackShortcuts(Clock clock, int markBit) throws OsException {
        this.clock = clock;
        userBits = ~markBit;
        rules = new OthersRules();
        restEndsNs = clock.nowNs();
    }

    @Override
    public void look() {
        nowNs = clock.nowNs();
        try {
            if (rules.haveChanged() | haveRoutesChanged()) {
                forget();
                isOpen = false;
                restEndsNs = nowNs + REST_NS;
            } else if (nowNs - restEndsNs >= 0) {
                isOpen = !rules.haveUntold() && (isOpen || !rules.haveTables() && !haveRulesOfProtocols());
                questions = QUESTIONS_PER_REST;
                restEndsNs = nowNs + REST_NS;
            }
        } catch (OsException e) {
            isOpen = false;
            LOG.debug("whether there are shortcuts could not be asked: {}", e.getMessage());
        }
    }

    /** The way of ESP cannot be asked for where rules look at the protocol: a kernel takes each question for UDP. */
    private boolean haveRulesOfProtocols() throws OsException {
        return socket.dump(RouteMessage.GET_RULE, RULES_OF_ALL_FAMILIES).stream()
                .anyMatch(rule -> rule.attributes().has(FRA_IP_PROTO));
    }

    private void forget() {
        generation++;
        hops.clear();
        usable.clear();
    }

    /** Of a neighbour that has changed nobody else needs to hear. */
    private boolean haveRoutesChanged() throws OsException {
        boolean changed = false;
        try {
            for (ByteBuffer datagram = events.poll(); datagram != null; datagram = events.poll()) {
                changed |= concern(datagram);
            }
        } catch (OsException e) {
            if (e.errno() != OsException.ENOBUFS) {
                throw e;
            }
            changed = true;
        }
        return changed;
    }

    private boolean concern(ByteBuffer datagram) {
        boolean changed = false;
        NetlinkReader reader = new NetlinkReader(datagram);
        while (reader.next()) {
            RouteMessage event = RouteMessage.copyOf(reader);
            if (event.type() != RouteMessage.NEW_NEIGHBOUR && event.type() != RouteMessage.DELETE_NEIGHBOUR) {
                changed = true;
            } else if (hops.contains(hopOf(new Neighbour(event)))) {
                generation++;
            }
        }
        return changed;
    }

    private static Hop hopOf(Neighbour neighbour) {
        return new Hop(neighbour.index(), neighbour.address());
    }

    /** None with the bridge's bit, which a State may set: a rule of the output chain takes it away. */
    @Override
    public Shortcut find(IpPacket packet, int mark) {
        if (!isOpen || (mark & userBits) != mark) {
            return null;
        }
        FlowDecoder.decode(packet, flow);
        flow.mark = mark;
        Found known = found.get(flow);
        if (known == null || known.generation != generation || nowNs - known.untilNs >= 0) {
            if (questions == 0) {
                return null;
            }
            questions--;
            known = new Found(ask(), generation, nowNs + VALID_NS);
            found.put(flow, known);
        }
        return known.shortcut;
    }

    private Shortcut ask() {
        try {
            Route route = queries.route(flow.family, flow.saddr(), flow.daddr(), flow.mark);
            return route == null || !route.isPlain() || !isUsable(route.outputIndex()) ? null : askNeighbour(route);
        } catch (OsException e) {
            LOG.debug(
                    "a shortcut to {} could not be asked for: {}", flow.daddr().toText(flow.family), e.getMessage());
            return null;
        }
    }

    /** The IP layer has to be seen to use a neighbour that has not been heard of for a while: then it looks for it. */
    private Shortcut askNeighbour(Route route) throws OsException {
        Gateway gateway = route.gateway() == null ? new Gateway(flow.family, flow.daddr()) : route.gateway();
        int ifindex = route.outputIndex();
        if (hops.size() == MOST_HOPS) {
            forget();
        }
        hops.add(new Hop(ifindex, gateway.address()));
        Neighbour neighbour = queries.neighbour(ifindex, gateway.family(), gateway.address());
        return neighbour == null || neighbour.isStale() || neighbour.mac() == 0
                ? null
                : new Shortcut(ifindex, neighbour.mac());
    }

    /** A VRF has rules of its own for what its members send, and others for what a tunnel's device does. */
    private boolean isUsable(int ifindex) throws OsException {
        Boolean known = usable.get(ifindex);
        if (known == null) {
            Link link = links.find(ifindex);
            known = link != null
                    && link.isEthernet()
                    && link.isUp()
                    && !link.mayTunnel()
                    && !link.isVrf()
                    && !isInVrf(link);
            usable.put(ifindex, known);
        }
        return known;
    }

    private boolean isInVrf(Link link) throws OsException {
        Link master = link.master() == 0 ? null : links.find(link.master());
        return master != null && master.isVrf();
    }

    @Override
    public void close() {
        events.close();
        socket.close();
        rules.close();
    }
}
