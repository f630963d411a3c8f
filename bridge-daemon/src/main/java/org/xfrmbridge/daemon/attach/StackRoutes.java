package org.xfrmbridge.daemon.attach;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.xfrmbridge.daemon.nft.StackNames;
import org.xfrmbridge.daemon.os.OsException;
import org.xfrmbridge.daemon.route.Link;
import org.xfrmbridge.daemon.route.Links;
import org.xfrmbridge.daemon.route.Route;
import org.xfrmbridge.daemon.route.RouteMessage;
import org.xfrmbridge.daemon.route.RouteSocket;
import org.xfrmbridge.netlink.nl.NetlinkHeader;
import org.xfrmbridge.netlink.nl.NetlinkWriter;
import org.xfrmbridge.xfrm.AddressFamily;

/**
 * The way of selected packets to the TAP, whatever the host's routes are: in each family two rules and a table of their
 * own. What is bound to another device, and everything while there is no TAP, goes by the host's own routes, and is
 * taken to the TAP, or dropped, where it leaves ({@link org.xfrmbridge.daemon.nft.StackTable}). A route that leads
 * nowhere must not be here: what is bound to a device would then be taken to be on its link, and its gateway never be
 * asked.
 *
 * <pre>
 *   50: from all fwmark 0x40000000/0x40000000 lookup 58
 *   51: from all oif xfrm0 lookup 58
 *   table 58: default via 169.254.88.71 dev xfrm0 metric 4294967295 onlink        (IPv6: via 100::58)
 * </pre>
 *
 * <p>What was opened and goes into a tunnel again comes in by the TAP and leaves by it. Of such a packet the host tells
 * the sender that there is a shorter way, which has the packet's beginning in it and is of nobody's policy: IPv4 if the
 * way back is one to the link itself, IPv6 if somebody gives the device an address. A kernel tells of no shorter way
 * what was protected. So there is a gateway, which nobody is; to one that is not of its link IPv6 leads nobody.
 *
 * <p>A kernel that checks sources strictly, and by marks ({@code rp_filter} 1, {@code src_valid_mark}), looks for the
 * way back of a marked packet by the same rules, as if it had come by the device that it is to leave by. Such a lookup
 * is led past the rules above:
 *
 * <pre>
 *   47: from all fwmark 0x40000000/0x40000000 iif xfrm0 goto 53
 *   53: from all nop
 * </pre>
 *
 * So is one for what comes by the TAP and is to go there again, which then goes by the host's routes and is taken to
 * the TAP where it leaves: the two rules are there only while the kernel checks in this way.
 *
 * <p>While the host has VRFs, what is sent in one finds its way in the VRF's own table: it is taken to the TAP where it
 * leaves, by an interface that tells its VRF.
 *
 * <pre>
 *   49: from all lookup [l3mdev-table]
 * </pre>
 *
 * <p>charon looks for the next hop of its peer in the routes of all tables, and of two default routes takes the one of
 * the lower metric. Ours comes last: through it charon could make no route for a tunnel's own source address.
 *
 * <p>One thread.
 */
final class StackRoutes {
    private static final int RTA_OIF = 4;
    private static final int RTA_GATEWAY = 5;
    private static final int RTA_PRIORITY = 6;
    private static final int RTA_TABLE = 15;
    private static final byte STATIC_PROTOCOL = 4;
    private static final int RTNH_F_ONLINK = 4;

    private static final int FRA_PRIORITY = 6;
    private static final int FRA_FWMARK = 10;
    private static final int FRA_TABLE = 15;
    private static final int FRA_FWMASK = 16;
    private static final int FRA_OIFNAME = 17;
    private static final int FRA_IIFNAME = 3;
    private static final int FRA_GOTO = 4;
    private static final int FRA_L3MDEV = 19;
    private static final byte TO_TABLE = 1;
    private static final byte GO_ON_AT = 2;
    private static final byte NOTHING = 3;
    private static final byte NO_WAY = 7;

    private static final int LAST = -1;
    private static final byte[] NOBODY = {(byte) 169, (byte) 254, 88, 71};
    /** Of the prefix for what is to be discarded, RFC 6666. */
    private static final byte[] NOBODY6 = {1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x58};

    private static final int[] BOTH = {AddressFamily.INET, AddressFamily.INET6};
    private static final int[] ONLY_IPV4 = {AddressFamily.INET};

    private final RouteSocket socket;
    private final Links links;
    private final StackNames names;
    private boolean hasIpv6;
    private boolean hasRules;
    private boolean isShut;
    /** A bridge that died may have left it so. */
    private boolean leadsWayBack = true;

    private boolean leadsVrfs = true;

    StackRoutes(RouteSocket socket, StackNames names) {
        this.socket = socket;
        links = new Links(socket);
        this.names = names;
    }

    /** EOPNOTSUPP on a kernel without policy routing, EAFNOSUPPORT if it has that for other families only. */
    void requireRules(Link tap) throws OsException {
        for (int family : tap.hasIpv6() ? BOTH : ONLY_IPV4) {
            byte[] question = new byte[12];
            question[0] = (byte) family;
            socket.dump(RouteMessage.GET_RULE, question);
        }
    }

    /** Makes what is not there; returns whether anything was missing. */
    boolean install(Link tap) throws OsException {
        boolean missing = install(AddressFamily.INET, tap.index());
        hasIpv6 = tap.hasIpv6();
        if (hasIpv6) {
            missing |= install(AddressFamily.INET6, tap.index());
        }
        if (hasRules && !isShut && DeviceSettings.checkSourcesByMark()) {
            add(goOnRule(RouteMessage.NEW_RULE));
            missing |= add(wayBackRule(RouteMessage.NEW_RULE)) && leadsWayBack;
            leadsWayBack = true;
        } else if (hasRules && leadsWayBack) {
            leaveWayBack();
        }
        if (hasRules && links.all().stream().anyMatch(Link::isVrf)) {
            missing |= addVrfRule(AddressFamily.INET);
            missing |= hasIpv6 && addVrfRule(AddressFamily.INET6);
            leadsVrfs = true;
        } else if (leadsVrfs) {
            leaveVrfs();
        }
        return missing;
    }

    /** Whether somebody had taken it away. */
    private boolean addVrfRule(int family) throws OsException {
        return add(vrfRule(RouteMessage.NEW_RULE, family)) && leadsVrfs;
    }

    private void leaveVrfs() throws OsException {
        for (int family : BOTH) {
            delete(vrfRule(RouteMessage.DELETE_RULE, family));
        }
        leadsVrfs = false;
    }

    private void leaveWayBack() throws OsException {
        delete(wayBackRule(RouteMessage.DELETE_RULE));
        delete(goOnRule(RouteMessage.DELETE_RULE));
        leadsWayBack = false;
    }

    private boolean install(int family, int tapIndex) throws OsException {
        boolean missing = addToTap(family, tapIndex);
        return hasRules
                ? missing | add(markRule(RouteMessage.NEW_RULE, family)) | add(tapRule(RouteMessage.NEW_RULE, family))
                : missing;
    }

    /**
     * Has the rules there from now on. A kernel that was ever given one looks every packet's route up in a slower way,
     * so there is none before there is something to protect.
     */
    void useRules(Link tap) throws OsException {
        if (!hasRules) {
            hasRules = true;
            install(tap);
        }
    }

    /** IPv6 is off there if all is and /proc/sys is read-only: what is selected is sent to the TAP where it leaves. */
    private boolean addToTap(int family, int tapIndex) throws OsException {
        try {
            return add(toTap(RouteMessage.NEW_ROUTE, family, tapIndex));
        } catch (OsException e) {
            if (family == AddressFamily.INET6 && e.errno() == OsException.EACCES) {
                return false;
            }
            throw e;
        }
    }

    /** From now on there is no way out of the host, nor through it. */
    void shut() throws OsException {
        isShut = true;
        add(shutRule(RouteMessage.NEW_RULE, AddressFamily.INET));
        if (hasIpv6) {
            add(shutRule(RouteMessage.NEW_RULE, AddressFamily.INET6));
        }
        // One that leads past it.
        leaveWayBack();
    }

    /** Whether a bridge, be it one that died, lets nothing out. */
    boolean isShut() throws OsException {
        return socket.dump(RouteMessage.GET_RULE, header(0, 0)).stream()
                .anyMatch(rule -> rule.attributes().getInt(FRA_PRIORITY, 0) == StackNames.SHUT_RULE);
    }

    /**
     * Has every flow that goes past the chains, by a flowtable of others, go by them again: its route is out of date as
     * soon as there is another rule, be it for nothing and for a moment.
     */
    void endFlows() throws OsException {
        for (int family : hasIpv6 ? BOTH : ONLY_IPV4) {
            add(nothingRule(RouteMessage.NEW_RULE, family));
            delete(nothingRule(RouteMessage.DELETE_RULE, family));
        }
    }

    /** Ends {@link #shut}. */
    void open() throws OsException {
        delete(shutRule(RouteMessage.DELETE_RULE, AddressFamily.INET));
        delete(shutRule(RouteMessage.DELETE_RULE, AddressFamily.INET6));
        isShut = false;
    }

    /** Whether an event tells that something of this went. */
    static boolean concerns(RouteMessage event) {
        return switch (event.type()) {
            case RouteMessage.DELETE_RULE -> {
                int preference = event.attributes().getInt(FRA_PRIORITY, 0);
                yield switch (preference) {
                    case StackNames.MARK_RULE,
                            StackNames.TAP_RULE,
                            StackNames.VRF_RULE,
                            StackNames.WAY_BACK_RULE,
                            StackNames.GO_ON_RULE -> true;
                    default -> false;
                };
            }
            case RouteMessage.DELETE_ROUTE -> new Route(event).table() == StackNames.ROUTE_TABLE;
            default -> false;
        };
    }

    /** Whether there are rules, or have to be. */
    private boolean wantsRules() throws OsException {
        return hasRules
                || socket.dump(RouteMessage.GET_RULE, header(0, 0)).stream()
                        .anyMatch(rule -> isMarkRule(rule) || isTapRule(rule));
    }

    /** What of it is not there, for people. */
    List<String> missing(Link tap) throws OsException {
        List<String> missing = new ArrayList<>();
        boolean rulesWanted = wantsRules();
        for (int family : tap.hasIpv6() ? BOTH : ONLY_IPV4) {
            List<RouteMessage> rules = socket.dump(RouteMessage.GET_RULE, header(family, 0));
            String version = family == AddressFamily.INET ? " of IPv4" : " of IPv6";
            if (rulesWanted && rules.stream().noneMatch(this::isMarkRule)) {
                missing.add("rule " + StackNames.MARK_RULE + version);
            }
            if (rulesWanted && rules.stream().noneMatch(this::isTapRule)) {
                missing.add("rule " + StackNames.TAP_RULE + version);
            }
            if (!hasRoute(family, tap.index()) && !(family == AddressFamily.INET6 && isIpv6Off())) {
                missing.add("the route of table " + StackNames.ROUTE_TABLE + version);
            }
        }
        return missing;
    }

    private boolean isIpv6Off() {
        try {
            return Files.readString(Path.of("/proc/sys/net/ipv6/conf", names.tap(), "disable_ipv6"))
                    .strip()
                    .equals("1");
        } catch (IOException e) {
            return false;
        }
    }

    private boolean isMarkRule(RouteMessage rule) {
        return leadsToTable(rule, StackNames.MARK_RULE)
                && rule.attributes().getInt(FRA_FWMARK, 0) == names.markBit()
                && rule.attributes().getInt(FRA_FWMASK, 0) == names.markBit();
    }

    private boolean isTapRule(RouteMessage rule) {
        return leadsToTable(rule, StackNames.TAP_RULE)
                && names.tap().equals(rule.attributes().getString(FRA_OIFNAME));
    }

    private static boolean leadsToTable(RouteMessage rule, int preference) {
        return rule.attributes().getInt(FRA_PRIORITY, 0) == preference
                && rule.attributes().getInt(FRA_TABLE, 0) == StackNames.ROUTE_TABLE;
    }

    private boolean hasRoute(int family, int tapIndex) throws OsException {
        try {
            return socket.dump(RouteMessage.GET_ROUTE, header(family, StackNames.ROUTE_TABLE)).stream()
                    .map(Route::new)
                    .anyMatch(route -> route.table() == StackNames.ROUTE_TABLE && route.outputIndex() == tapIndex);
        } catch (OsException e) {
            if (e.errno() == OsException.ENOENT) {
                // There has never been such a table.
                return false;
            }
            throw e;
        }
    }

    private static byte[] header(int family, int table) {
        byte[] header = new byte[12];
        header[0] = (byte) family;
        header[4] = (byte) table;
        return header;
    }

    /** Whether the table has routes of somebody. */
    boolean isTableInUse() throws OsException {
        byte[] header = new byte[12];
        return socket.dump(RouteMessage.GET_ROUTE, header).stream()
                .anyMatch(message -> new Route(message).table() == StackNames.ROUTE_TABLE);
    }

    /** Takes away what there is of it. */
    void remove(Link tap) throws OsException {
        open();
        leaveWayBack();
        leaveVrfs();
        for (int family : BOTH) {
            delete(markRule(RouteMessage.DELETE_RULE, family));
            delete(tapRule(RouteMessage.DELETE_RULE, family));
            if (tap != null) {
                delete(toTap(RouteMessage.DELETE_ROUTE, family, tap.index()));
            }
        }
    }

    private NetlinkWriter toTap(int type, int family, int tapIndex) {
        NetlinkWriter request = socket.request(type, 0);
        request.room(12)
                .put((byte) family)
                .put((byte) 0)
                .put((byte) 0)
                .put((byte) 0)
                .put((byte) StackNames.ROUTE_TABLE)
                .put(STATIC_PROTOCOL)
                .put((byte) 0)
                .put((byte) Route.UNICAST)
                .putInt(RTNH_F_ONLINK);
        request.putInt(RTA_TABLE, StackNames.ROUTE_TABLE).putInt(RTA_OIF, tapIndex);
        return request.putBytes(RTA_GATEWAY, family == AddressFamily.INET ? NOBODY : NOBODY6)
                .putInt(RTA_PRIORITY, LAST);
    }

    private NetlinkWriter markRule(int type, int family) {
        return toTable(rule(type, family, StackNames.MARK_RULE, TO_TABLE))
                .putInt(FRA_FWMARK, names.markBit())
                .putInt(FRA_FWMASK, names.markBit());
    }

    private NetlinkWriter tapRule(int type, int family) {
        return toTable(rule(type, family, StackNames.TAP_RULE, TO_TABLE)).putString(FRA_OIFNAME, names.tap());
    }

    private NetlinkWriter shutRule(int type, int family) {
        return rule(type, family, StackNames.SHUT_RULE, NO_WAY);
    }

    private NetlinkWriter nothingRule(int type, int family) {
        return rule(type, family, StackNames.TAP_RULE + 1, NOTHING);
    }

    private NetlinkWriter vrfRule(int type, int family) {
        return rule(type, family, StackNames.VRF_RULE, TO_TABLE).putBytes(FRA_L3MDEV, new byte[] {1});
    }

    private NetlinkWriter wayBackRule(int type) {
        return rule(type, AddressFamily.INET, StackNames.WAY_BACK_RULE, GO_ON_AT)
                .putString(FRA_IIFNAME, names.tap())
                .putInt(FRA_GOTO, StackNames.GO_ON_RULE)
                .putInt(FRA_FWMARK, names.markBit())
                .putInt(FRA_FWMASK, names.markBit());
    }

    private NetlinkWriter goOnRule(int type) {
        return rule(type, AddressFamily.INET, StackNames.GO_ON_RULE, NOTHING);
    }

    private static NetlinkWriter toTable(NetlinkWriter rule) {
        return rule.putInt(FRA_TABLE, StackNames.ROUTE_TABLE);
    }

    /** {@code struct fib_rule_hdr}: family, prefix lengths, tos, table, two bytes of nothing, action, flags. */
    private NetlinkWriter rule(int type, int family, int preference, byte action) {
        NetlinkWriter request = socket.request(type, 0);
        request.room(12)
                .put((byte) family)
                .put((byte) 0)
                .put((byte) 0)
                .put((byte) 0)
                .put((byte) 0)
                .put((byte) 0)
                .put((byte) 0)
                .put(action)
                .putInt(0);
        return request.putInt(FRA_PRIORITY, preference);
    }

    /** False if it is there. */
    private boolean add(NetlinkWriter request) throws OsException {
        try {
            socket.change(request.addFlags(NetlinkHeader.CREATE | NetlinkHeader.EXCLUSIVE));
            return true;
        } catch (OsException e) {
            if (e.errno() != OsException.EEXIST) {
                throw e;
            }
            return false;
        }
    }

    private void delete(NetlinkWriter request) throws OsException {
        try {
            socket.change(request);
        } catch (OsException e) {
            switch (e.errno()) {
                case OsException.ENOENT, OsException.ESRCH, OsException.EAFNOSUPPORT, OsException.EOPNOTSUPP -> {}
                default -> throw e;
            }
        }
    }
}
