package org.xfrmbridge.daemon.attach;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.HashSet;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.xfrmbridge.daemon.nft.OthersRules;
import org.xfrmbridge.daemon.nft.SignedEsp;
import org.xfrmbridge.daemon.os.NetlinkSocket;
import org.xfrmbridge.daemon.os.OsException;
import org.xfrmbridge.daemon.port.InboundShortcuts;
import org.xfrmbridge.daemon.route.Link;
import org.xfrmbridge.daemon.route.Links;
import org.xfrmbridge.daemon.route.RouteSocket;
import org.xfrmbridge.io.PacketBuffer;
import org.xfrmbridge.net.Bytes;
import org.xfrmbridge.net.Ethernet;
import org.xfrmbridge.net.Ipv4;
import org.xfrmbridge.net.Ipv6;
import org.xfrmbridge.time.Clock;

/**
 * Inbound shortcuts on a host where nobody else has rules for IP packets, and no connections are tracked. What the IP
 * layer asks there of a packet for this host (is that address the host's, does the way back lead there) it has answered
 * for those that came by the same way just before, and will answer alike until routes, rules for them, addresses or
 * interfaces change: then all ways are closed, and those by which the IP layer still hands over packets are opened
 * anew. Rules of others at the ingress of an interface see all packets. One thread.
 */
final class StackInboundShortcuts implements InboundShortcuts {
    private static final Logger LOG = LoggerFactory.getLogger(StackInboundShortcuts.class);

    // RTNLGRP_: LINK, IPV4_IFADDR, IPV4_ROUTE, IPV4_RULE, IPV6_IFADDR, IPV6_ROUTE, IPV6_RULE, IPV4_NETCONF,
    // IPV6_NETCONF, NEXTHOP
    private static final int[] GROUPS = {1, 5, 7, 8, 9, 11, 19, 24, 25, 32};

    /** After a change. Also how often is asked what nobody tells of. */
    private static final long REST_NS = 100_000_000;

    /** So many packets in less than a rest are worth a ring. */
    private static final int MANY = 64;

    /** To open a way takes as long as some hundred packets. */
    private static final long BETWEEN_WAYS_NS = 10_000_000;

    private static final long IDLE_NS = 10_000_000_000L;
    private static final long REFUSAL_NS = 60_000_000_000L;
    private static final int MOST_WAYS = 1024;

    private final Clock clock;
    private final int markBit;
    private final OthersRules rules;
    private final NetlinkSocket events;
    private final RouteSocket socket;
    private final Links links;
    private final SignedEsp signed;

    private final Set<ByteBuffer> ways = new HashSet<>();
    /** By these come packets that have no sign, fragments or long ones: together they would overtake each other. */
    private final Set<ByteBuffer> refused = new HashSet<>();

    private final ByteBuffer way4 = way(SignedEsp.IPV4_WAY_BYTES);
    private final ByteBuffer way6 = way(SignedEsp.IPV6_WAY_BYTES);
    /** Of the way that is to be opened. */
    private Link device;

    private boolean isAllowed;
    private int came;
    private long cameNs;
    private long askedNs;
    private long restEndsNs;
    private long busyNs;
    private long openedNs;
    /** When what had come before that was taken, as far as is known. */
    private long settledNs;

    private long refusedNs;

    /** @param markBit the bit of marks that is the bridge's */
    StackInboundShortcuts(Clock clock, int markBit) throws OsException {
        this.clock = clock;
        this.markBit = markBit;
        rules = new OthersRules();
        events = new NetlinkSocket(GROUPS);
        socket = new RouteSocket();
        links = new Links(socket);
        signed = new SignedEsp(markBit, MOST_PACKET_BYTES);
        restEndsNs = clock.nowNs();
        refusedNs = restEndsNs;
        cameNs = restEndsNs - REST_NS;
    }

    private static ByteBuffer way(int bytes) {
        return ByteBuffer.allocate(bytes).order(ByteOrder.nativeOrder());
    }

    @Override
    public int mark() {
        return markBit;
    }

    @Override
    public Look look(boolean framesWait) {
        long nowNs = clock.nowNs();
        try {
            boolean changed = events.drain();
            if (rules.haveChanged() && rules.haveTables() || isUntoldOf(nowNs)) {
                return end(Look.FORBIDDEN, nowNs);
            }
            if (changed || isTimeForOthers(nowNs)) {
                return end(Look.CHANGED, nowNs);
            }
        } catch (OsException e) {
            LOG.debug("whether ESP may come by a ring could not be asked: {}", e.getMessage());
            return end(Look.FORBIDDEN, nowNs);
        }
        busyNs = framesWait ? nowNs : busyNs;
        return nowNs - busyNs < IDLE_NS ? Look.OPEN : end(Look.IDLE, nowNs);
    }

    private boolean isUntoldOf(long nowNs) {
        if (nowNs - askedNs < REST_NS) {
            return false;
        }
        askedNs = nowNs;
        return rules.haveUntold();
    }

    /** Those that are open may have gone quiet long ago. */
    private boolean isTimeForOthers(long nowNs) {
        return ways.size() == MOST_WAYS && nowNs - openedNs >= IDLE_NS;
    }

    private Look end(Look look, long nowNs) {
        closeAll();
        isAllowed = look == Look.CHANGED;
        restEndsNs = nowNs + REST_NS;
        return look;
    }

    private void closeAll() {
        ways.clear();
        try {
            signed.closeAll();
        } catch (OsException e) {
            LOG.debug("ESP comes by sockets alone from now on: {}", e.getMessage());
        }
    }

    @Override
    public Way came(PacketBuffer frame) {
        if (!ways.isEmpty() && ways.contains(wayOf(frame))) {
            return refuse(wayOf(frame)) ? Way.CLOSED : Way.AS_BEFORE;
        }
        came++;
        return came >= MANY && isWorthOpening(frame) ? Way.WORTH_OPENING : Way.AS_BEFORE;
    }

    private boolean isWorthOpening(PacketBuffer frame) {
        came = 0;
        long nowNs = clock.nowNs();
        boolean soon = nowNs - cameNs < REST_NS;
        cameNs = nowNs;
        return soon && nowNs - restEndsNs >= 0 && ways.size() < MOST_WAYS && mayOpen(wayOf(frame), nowNs);
    }

    @Override
    public void cameBefore() {
        settledNs = clock.nowNs();
    }

    /** Those that were on their way when it was opened came just so. */
    private boolean refuse(ByteBuffer way) {
        long nowNs = clock.nowNs();
        if (nowNs - settledNs < REST_NS) {
            return false;
        }
        try {
            signed.close(way.array());
            ways.remove(way);
        } catch (OsException e) {
            LOG.debug("ESP by one way comes by two: {}", e.getMessage());
            return false;
        }
        if (refused.size() == MOST_WAYS) {
            refused.clear();
        }
        if (refused.isEmpty()) {
            refusedNs = nowNs;
        }
        refused.add(copyOf(way));
        return true;
    }

    private boolean mayOpen(ByteBuffer way, long nowNs) {
        if (nowNs - refusedNs >= REFUSAL_NS) {
            refused.clear();
        }
        return !refused.contains(way) && (isAllowed || isAllowedNow(nowNs)) && isUsable(way.getInt(0), nowNs);
    }

    /** What came before a change says nothing about what comes after it. */
    private boolean isAllowedNow(long nowNs) {
        restEndsNs = nowNs + REST_NS;
        try {
            boolean changed = events.drain() | rules.haveChanged();
            isAllowed = !changed && !rules.haveUntold() && !rules.haveTables();
            busyNs = nowNs;
            askedNs = nowNs;
        } catch (OsException e) {
            LOG.debug("whether ESP may come by a ring could not be asked: {}", e.getMessage());
        }
        return isAllowed;
    }

    private boolean isUsable(int ifindex, long nowNs) {
        restEndsNs = nowNs + REST_NS;
        try {
            device = links.find(ifindex);
        } catch (OsException e) {
            LOG.debug("by what ESP comes could not be asked: {}", e.getMessage());
            device = null;
        }
        boolean usable = device != null && isUsable(device);
        // While no way is open nobody looks.
        isAllowed &= usable || !ways.isEmpty();
        return usable;
    }

    @Override
    public boolean open(PacketBuffer frame) {
        ByteBuffer way = wayOf(frame);
        long nowNs = clock.nowNs();
        try {
            signed.open(way.array(), device.index(), device.name());
            ways.add(copyOf(way));
            openedNs = nowNs;
            settledNs = nowNs;
            restEndsNs = nowNs + BETWEEN_WAYS_NS;
            return true;
        } catch (OsException e) {
            LOG.debug("ESP that comes by {} could not be given a sign: {}", device.name(), e.getMessage());
            return false;
        }
    }

    /** A VRF has rules of its own for what comes by its members; of other devices the members are no place for IP. */
    private static boolean isUsable(Link link) {
        return link.isEthernet()
                && link.isUp()
                && link.master() == 0
                && !link.isVrf()
                && !link.mayTunnel()
                && link.mtuBytes() <= MOST_PACKET_BYTES;
    }

    /** Holds until the next call. */
    private ByteBuffer wayOf(PacketBuffer frame) {
        int ip = frame.offset + Ethernet.HEADER_BYTES;
        boolean isIpv4 = Bytes.u16(frame.data, frame.offset + Ethernet.TYPE) == Ethernet.TYPE_IPV4;
        ByteBuffer way = isIpv4 ? way4 : way6;
        way.putInt(0, frame.ifindex);
        int addresses = ip + (isIpv4 ? Ipv4.SOURCE : Ipv6.SOURCE);
        return way.put(4, frame.data, addresses, way.capacity() - 4);
    }

    private static ByteBuffer copyOf(ByteBuffer way) {
        return ByteBuffer.wrap(way.array().clone());
    }

    @Override
    public void close() {
        signed.close();
        rules.close();
        events.close();
        socket.close();
    }
}
