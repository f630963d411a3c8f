package org.xfrmbridge.daemon.attach;

import java.nio.ByteBuffer;
import org.xfrmbridge.daemon.os.EventSource;
import org.xfrmbridge.daemon.os.NetlinkSocket;
import org.xfrmbridge.daemon.os.OsException;
import org.xfrmbridge.daemon.route.RouteMessage;
import org.xfrmbridge.netlink.nl.NetlinkReader;

/** What rtnetlink tells of that may concern a place in the host's stack. Control thread. */
abstract class RouteEvents implements EventSource {
    // RTNLGRP_: LINK, IPV4_IFADDR, IPV4_ROUTE, IPV4_RULE, IPV6_ROUTE, IPV6_RULE, IPV4_NETCONF, IPV6_NETCONF
    private static final int[] GROUPS = {1, 5, 7, 8, 11, 19, 24, 25};

    private final NetlinkSocket events = new NetlinkSocket(GROUPS);

    RouteEvents() throws OsException {}

    /**
     * Something may have changed: once for all that was told at a time.
     *
     * @param hasLinkGone whether an interface has left, and another of its number may be there
     */
    abstract void changed(boolean hasLinkGone) throws OsException;

    @Override
    public final int fd() {
        return events.fd();
    }

    @Override
    public final void handleEvents() throws OsException {
        boolean concerned = false;
        boolean hasLinkGone = false;
        try {
            for (ByteBuffer datagram = events.poll(); datagram != null; datagram = events.poll()) {
                NetlinkReader reader = new NetlinkReader(datagram);
                while (reader.next()) {
                    RouteMessage event = RouteMessage.copyOf(reader);
                    concerned |= concerns(event);
                    hasLinkGone |= event.type() == RouteMessage.DELETE_LINK;
                }
            }
        } catch (OsException e) {
            if (e.errno() != OsException.ENOBUFS) {
                throw e;
            }
            concerned = true;
            hasLinkGone = true;
        }
        if (concerned) {
            changed(hasLinkGone);
        }
    }

    private static boolean concerns(RouteMessage event) {
        return switch (event.type()) {
            case RouteMessage.NEW_ROUTE, RouteMessage.NEW_RULE, RouteMessage.NEW_ADDRESS -> false;
            case RouteMessage.DELETE_ADDRESS -> StackTap.concerns(event);
            case RouteMessage.DELETE_ROUTE, RouteMessage.DELETE_RULE -> StackRoutes.concerns(event);
            default -> true;
        };
    }

    @Override
    public final void close() {
        events.close();
    }
}
