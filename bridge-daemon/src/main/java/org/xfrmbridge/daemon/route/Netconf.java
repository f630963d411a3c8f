package org.xfrmbridge.daemon.route;

import java.util.List;
import org.xfrmbridge.daemon.os.OsException;
import org.xfrmbridge.netlink.nl.Attributes;
import org.xfrmbridge.xfrm.AddressFamily;

/**
 * What IPv4 does with the packets of an interface, linux/netconf.h: what /proc/sys/net/ipv4/conf shows.
 *
 * @param index of the interface, or {@link #ALL}
 * @param forwards whether packets that come in by it are forwarded
 * @param reversePathFilter {@code rp_filter}
 */
public record Netconf(int index, boolean forwards, int reversePathFilter) {
    /** NETCONFA_IFINDEX_ALL: what is said of all interfaces, those of the future not among them. */
    public static final int ALL = -1;

    private static final int NETCONFA_IFINDEX = 1;
    private static final int NETCONFA_FORWARDING = 2;
    private static final int NETCONFA_RP_FILTER = 3;
    /** Of IPv6, since Linux 6.17. */
    private static final int NETCONFA_FORCE_FORWARDING = 9;

    private static Netconf of(RouteMessage message) {
        Attributes attributes = message.attributes();
        return new Netconf(
                attributes.getInt(NETCONFA_IFINDEX, 0),
                attributes.getInt(NETCONFA_FORWARDING, 0) != 0,
                attributes.getInt(NETCONFA_RP_FILTER, 0));
    }

    /** Of every interface that has IPv4, of {@link #ALL}, and of what new ones get, whose index is negative, too. */
    public static List<Netconf> ofIpv4(RouteSocket socket) throws OsException {
        return all(socket, AddressFamily.INET).stream().map(Netconf::of).toList();
    }

    /** Whether IPv6 forwards what comes in by any interface, or would by a new one. */
    public static boolean forwardsIpv6(RouteSocket socket) throws OsException {
        try {
            return all(socket, AddressFamily.INET6).stream()
                    .map(RouteMessage::attributes)
                    .anyMatch(attributes -> attributes.getInt(NETCONFA_FORWARDING, 0) != 0
                            || attributes.getInt(NETCONFA_FORCE_FORWARDING, 0) != 0);
        } catch (OsException e) {
            if (e.errno() == OsException.EOPNOTSUPP) {
                // A kernel without IPv6.
                return false;
            }
            throw e;
        }
    }

    private static List<RouteMessage> all(RouteSocket socket, int family) throws OsException {
        return socket.dump(RouteMessage.GET_NETCONF, new byte[] {(byte) family, 0, 0, 0});
    }
}
