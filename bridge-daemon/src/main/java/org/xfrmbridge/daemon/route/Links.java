package org.xfrmbridge.daemon.route;

import static org.xfrmbridge.daemon.route.RouteMessage.DELETE_LINK;
import static org.xfrmbridge.daemon.route.RouteMessage.GET_LINK;
import static org.xfrmbridge.daemon.route.RouteMessage.NEW_LINK;
import static org.xfrmbridge.daemon.route.RouteMessage.SET_LINK;

import java.util.List;
import org.xfrmbridge.daemon.os.OsException;
import org.xfrmbridge.netlink.nl.NetlinkHeader;
import org.xfrmbridge.netlink.nl.NetlinkWriter;

/** Reads and changes interfaces, linux/if_link.h. Uses its socket on the caller's thread. */
public final class Links {
    private static final int IFLA_BR_FORWARD_DELAY = 1;
    private static final int IFLA_BR_STP_STATE = 5;
    private static final int IFLA_BR_GROUP_FWD_MASK = 9;
    private static final int IFLA_BR_MCAST_SNOOPING = 23;

    private static final int IFLA_VRF_TABLE = 1;

    private static final int IFLA_INFO_SLAVE_KIND = 4;
    private static final int IFLA_INFO_SLAVE_DATA = 5;
    private static final int IFLA_BRPORT_LEARNING = 8;
    private static final int IFLA_BRPORT_GROUP_FWD_MASK = 31;

    private static final int IFLA_INET_CONF = 1;
    private static final int DEVCONF_FORWARDING = 1;
    private static final int DEVCONF_RP_FILTER = 8;
    private static final int DEVCONF_ARP_IGNORE = 19;
    /** Modes of {@link #setReversePathFilter}. */
    public static final int UNCHECKED = 0;

    public static final int LOOSE = 2;

    private static final int STRICT = 1;
    private static final int NEVER = 8;
    private static final int AF_INET = 2;

    /** The least MTU of a bridge. IPv6 leaves a device whose MTU is below 1280. */
    private static final int BRIDGE_MIN_MTU = 68;

    /** All link-local groups that a bridge may be told to pass on: it must be invisible. The first three it may not. */
    private static final int FORWARDED_LINK_LOCAL_GROUPS = 0xfff8;

    /**
     * A port may have all but pause frames forwarded; the others a bridge hands to the port's own stack, IP in them,
     * too.
     */
    private static final int FORWARDED_FROM_PORT = 0xfffd;

    private final RouteSocket socket;

    public Links(RouteSocket socket) {
        this.socket = socket;
    }

    /** The interface of that name, or null. */
    public Link find(String name) throws OsException {
        return find(header(GET_LINK, 0, 0, 0, 0).putString(Link.IFLA_IFNAME, name));
    }

    /** The interface of that index, or null. */
    public Link find(int index) throws OsException {
        return find(header(GET_LINK, 0, index, 0, 0));
    }

    /** What an interface cuts, or its kernel for it. */
    public SegmentationLimits segmentationLimits(int index) throws OsException {
        return SegmentationLimits.of(socket.get(header(GET_LINK, 0, index, 0, 0)));
    }

    /** Every interface there is. */
    public List<Link> all() throws OsException {
        return socket.dump(GET_LINK, new byte[16]).stream().map(Link::of).toList();
    }

    /** The routing tables of all VRFs. */
    public List<Integer> vrfTables() throws OsException {
        return socket.dump(GET_LINK, new byte[16]).stream()
                .filter(message -> Link.of(message).isVrf())
                .map(message -> message.attributes()
                        .nested(Link.IFLA_LINKINFO, Link.IFLA_INFO_DATA)
                        .nested(Link.IFLA_INFO_DATA, IFLA_VRF_TABLE)
                        .getInt(IFLA_VRF_TABLE, 0))
                .toList();
    }

    /** Those that are made on top of another one: VLANs, macvlans; of a veth the other end. In this namespace. */
    public List<Link> above(int index) throws OsException {
        return socket.dump(GET_LINK, new byte[16]).stream()
                .filter(message -> message.attributes().getInt(Link.IFLA_LINK, 0) == index
                        && message.attributes().getBytes(Link.IFLA_LINK_NETNSID) == null)
                .map(Link::of)
                .toList();
    }

    private Link find(NetlinkWriter request) throws OsException {
        try {
            return Link.of(socket.get(request));
        } catch (OsException e) {
            if (e.errno() == OsException.ENODEV) {
                return null;
            }
            throw e;
        }
    }

    /** Makes an interface one on which nobody is asked for link addresses. */
    public void disableArp(int index) throws OsException {
        socket.change(header(SET_LINK, 0, index, Link.NO_ARP, Link.NO_ARP));
    }

    /** Sets how strictly the sources of what arrives are checked against the routes: {@code rp_filter}, IPv4. */
    public void setReversePathFilter(int index, int mode) throws OsException {
        configureIpv4(index, DEVCONF_RP_FILTER, mode);
    }

    /** Sets whether what arrives by an interface is forwarded, IPv4. */
    public void setForwarding(int index, boolean forwards) throws OsException {
        configureIpv4(index, DEVCONF_FORWARDING, forwards ? 1 : 0);
    }

    private void configureIpv4(int index, int setting, int value) throws OsException {
        NetlinkWriter request = header(SET_LINK, 0, index, 0, 0);
        int families = request.beginAttribute(Link.IFLA_AF_SPEC);
        int ipv4 = request.beginAttribute(AF_INET);
        int settings = request.beginAttribute(IFLA_INET_CONF);
        request.putInt(setting, value);
        socket.change(request.endAttribute(settings).endAttribute(ipv4).endAttribute(families));
    }

    /** Makes a bridge that only passes frames on: no spanning tree, no delay, no snooping. */
    public void createBridge(String name, long mac, int mtuBytes) throws OsException {
        NetlinkWriter request = header(NEW_LINK, NetlinkHeader.CREATE | NetlinkHeader.EXCLUSIVE, 0, 0, 0)
                .putString(Link.IFLA_IFNAME, name)
                .putBytes(Link.IFLA_ADDRESS, Link.bytesOf(mac))
                .putInt(Link.IFLA_MTU, mtuBytes);
        int info = request.beginAttribute(Link.IFLA_LINKINFO);
        request.putString(Link.IFLA_INFO_KIND, "bridge");
        int data = request.beginAttribute(Link.IFLA_INFO_DATA);
        request.putInt(IFLA_BR_FORWARD_DELAY, 0)
                .putInt(IFLA_BR_STP_STATE, 0)
                .putShort(IFLA_BR_GROUP_FWD_MASK, FORWARDED_LINK_LOCAL_GROUPS)
                .putByte(IFLA_BR_MCAST_SNOOPING, 0);
        socket.change(request.endAttribute(data).endAttribute(info));
    }

    /**
     * Keeps the host's IP away from a bridge, whose device would otherwise take packets in, and answer ARP, for every
     * address of the host: a way past the datapath. What the bridge forwards is not touched by any of this. No
     * /proc/sys, which may be read-only.
     */
    public void isolateBridge(int index) throws OsException {
        setMtu(index, BRIDGE_MIN_MTU);
        NetlinkWriter request = header(SET_LINK, 0, index, Link.NO_ARP, Link.NO_ARP);
        int families = request.beginAttribute(Link.IFLA_AF_SPEC);
        int ipv4 = request.beginAttribute(AF_INET);
        int settings = request.beginAttribute(IFLA_INET_CONF);
        // No route leads through the bridge, so no source passes the strict reverse path check.
        request.putInt(DEVCONF_RP_FILTER, STRICT).putInt(DEVCONF_ARP_IGNORE, NEVER);
        socket.change(request.endAttribute(settings).endAttribute(ipv4).endAttribute(families));
    }

    public void delete(int index) throws OsException {
        socket.change(header(DELETE_LINK, 0, index, 0, 0));
    }

    /** Gives an interface another name, for which it is taken down. */
    public void rename(int index, String name) throws OsException {
        setDown(index);
        socket.change(header(SET_LINK, 0, index, 0, 0).putString(Link.IFLA_IFNAME, name));
    }

    /** Takes an interface out of its bridge, if it is in one. */
    public void removeMaster(int index) throws OsException {
        socket.change(header(SET_LINK, 0, index, 0, 0).putInt(Link.IFLA_MASTER, 0));
    }

    /**
     * Makes an interface one end of a bridge that is nothing but a wire: it learns no addresses. What its neighbour
     * reflects, as containers' networks do (hairpin), would else move the host's own address to the wrong end. And it
     * keeps nothing for itself.
     */
    public void addPort(int bridge, int index) throws OsException {
        socket.change(header(SET_LINK, 0, index, 0, 0).putInt(Link.IFLA_MASTER, bridge));
        makeWire(index);
    }

    /** What {@link #addPort} says of a port, for one that is in its bridge already. */
    public void makeWire(int index) throws OsException {
        NetlinkWriter request = header(NEW_LINK, 0, index, 0, 0);
        int info = request.beginAttribute(Link.IFLA_LINKINFO);
        request.putString(IFLA_INFO_SLAVE_KIND, "bridge");
        int data = request.beginAttribute(IFLA_INFO_SLAVE_DATA);
        request.putByte(IFLA_BRPORT_LEARNING, 0).putShort(IFLA_BRPORT_GROUP_FWD_MASK, FORWARDED_FROM_PORT);
        socket.change(request.endAttribute(data).endAttribute(info));
    }

    /** Gives an interface a MAC address; one that refuses while it is up is taken down for it. */
    public void setMac(int index, long mac) throws OsException {
        try {
            changeMac(index, mac);
        } catch (OsException e) {
            if (e.errno() != OsException.EBUSY) {
                throw e;
            }
            setDown(index);
            changeMac(index, mac);
            setUp(index);
        }
    }

    private void changeMac(int index, long mac) throws OsException {
        socket.change(header(SET_LINK, 0, index, 0, 0).putBytes(Link.IFLA_ADDRESS, Link.bytesOf(mac)));
    }

    public void setMtu(int index, int mtuBytes) throws OsException {
        socket.change(header(SET_LINK, 0, index, 0, 0).putInt(Link.IFLA_MTU, mtuBytes));
    }

    /** How many frames wait in a TAP for its reader. */
    public void setQueueLength(int index, int frames) throws OsException {
        socket.change(header(SET_LINK, 0, index, 0, 0).putInt(Link.IFLA_TXQLEN, frames));
    }

    public void setUp(int index) throws OsException {
        socket.change(header(SET_LINK, 0, index, Link.UP, Link.UP));
    }

    public void setDown(int index) throws OsException {
        socket.change(header(SET_LINK, 0, index, 0, Link.UP));
    }

    /** @param mode IN6_ADDR_GEN_MODE_ number; negative, on a kernel without IPv6, does nothing */
    public void setAddressGeneration(int index, int mode) throws OsException {
        if (mode < 0) {
            return;
        }
        NetlinkWriter request = header(SET_LINK, 0, index, 0, 0);
        int families = request.beginAttribute(Link.IFLA_AF_SPEC);
        int ipv6 = request.beginAttribute(Link.AF_INET6);
        request.putByte(Link.IFLA_INET6_ADDR_GEN_MODE, mode);
        socket.change(request.endAttribute(ipv6).endAttribute(families));
    }

    private NetlinkWriter header(int type, int flags, int index, int linkFlags, int linkFlagsMask) {
        NetlinkWriter request = socket.request(type, flags);
        request.room(16).putInt(0).putInt(index).putInt(linkFlags).putInt(linkFlagsMask);
        return request;
    }
}
