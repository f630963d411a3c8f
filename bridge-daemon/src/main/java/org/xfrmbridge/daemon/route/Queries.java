package org.xfrmbridge.daemon.route;

import org.xfrmbridge.daemon.os.OsException;
import org.xfrmbridge.netlink.nl.NetlinkHeader;
import org.xfrmbridge.netlink.nl.NetlinkWriter;
import org.xfrmbridge.xfrm.Address;
import org.xfrmbridge.xfrm.AddressFamily;

/** Single questions to the routing and neighbour tables. Uses its socket on the caller's thread. */
public final class Queries {
    private static final int RTA_DST = 1;
    private static final int RTA_SRC = 2;
    private static final int RTA_OIF = 4;
    private static final int RTA_MARK = 16;
    private static final int RTM_F_FIB_MATCH = 0x2000;
    private static final int NUD_NONE = 0;

    private final RouteSocket socket;

    public Queries(RouteSocket socket) {
        this.socket = socket;
    }

    /**
     * The route that a packet of the host's own would take, or null.
     *
     * @param source {@link Address#ANY} if not chosen yet
     * @param mark for rules that look at it
     */
    public Route route(int family, Address source, Address destination, int mark) throws OsException {
        return route(family, source, destination, mark, 0);
    }

    /** The same in a VRF. @param vrf index of its device, 0 for none */
    public Route route(int family, Address source, Address destination, int mark, int vrf) throws OsException {
        return route(family, source, destination, mark, vrf, 0);
    }

    /** The entry of the routing tables that a packet of the host's own would take, as it was added, or null. */
    public Route entry(int family, Address destination) throws OsException {
        return route(family, Address.ANY, destination, 0, 0, RTM_F_FIB_MATCH);
    }

    private Route route(int family, Address source, Address destination, int mark, int vrf, int flags)
            throws OsException {
        int bits = AddressFamily.bits(family);
        boolean chosen = !source.isAny(family);
        NetlinkWriter request = socket.request(RouteMessage.GET_ROUTE, 0);
        request.room(12)
                .put((byte) family)
                .put((byte) bits)
                .put((byte) (chosen ? bits : 0))
                .put((byte) 0)
                .putInt(0)
                .putInt(flags);
        request.putBytes(RTA_DST, Addresses.bytes(family, destination));
        if (chosen) {
            request.putBytes(RTA_SRC, Addresses.bytes(family, source));
        }
        if (mark != 0) {
            request.putInt(RTA_MARK, mark);
        }
        if (vrf != 0) {
            request.putInt(RTA_OIF, vrf);
        }
        try {
            return new Route(socket.get(request));
        } catch (OsException e) {
            // ENETUNREACH, EHOSTUNREACH, EACCES (prohibit), EINVAL (a source that is not the host's): there is no way.
            return null;
        }
    }

    /** The entry of a neighbour, or null. */
    public Neighbour neighbour(int index, int family, Address address) throws OsException {
        NetlinkWriter request = socket.request(RouteMessage.GET_NEIGHBOUR, 0);
        try {
            return new Neighbour(socket.get(neighbourHeader(request, index, family, 0)
                    .putBytes(Neighbour.NDA_DST, Addresses.bytes(family, address))));
        } catch (OsException e) {
            if (e.errno() == OsException.ENOENT) {
                return null;
            }
            throw e;
        }
    }

    /** Lets the kernel ask for a neighbour, or check on it if it has not been heard of for a while. */
    public void useNeighbour(int index, int family, Address address) throws OsException {
        NetlinkWriter request = socket.request(RouteMessage.NEW_NEIGHBOUR, NetlinkHeader.CREATE);
        socket.change(neighbourHeader(request, index, family, Neighbour.USE)
                .putBytes(Neighbour.NDA_DST, Addresses.bytes(family, address)));
    }

    /** Tells the kernel of a neighbour that it has an entry of, as if that had answered it. */
    public void confirmNeighbour(int index, int family, Address address, long mac) throws OsException {
        NetlinkWriter request = socket.request(RouteMessage.NEW_NEIGHBOUR, NetlinkHeader.REPLACE);
        request.room(12)
                .putInt(family)
                .putInt(index)
                .putShort((short) Neighbour.REACHABLE)
                .putShort((short) 0);
        request.putBytes(Neighbour.NDA_DST, Addresses.bytes(family, address))
                .putBytes(Neighbour.NDA_LLADDR, Link.bytesOf(mac));
        try {
            socket.change(request);
        } catch (OsException e) {
            if (e.errno() != OsException.ENOENT) {
                throw e;
            }
        }
    }

    /** Has the kernel forget what it knows of a neighbour. */
    public void forgetNeighbour(int index, int family, Address address) throws OsException {
        NetlinkWriter request = socket.request(RouteMessage.DELETE_NEIGHBOUR, 0);
        try {
            socket.change(neighbourHeader(request, index, family, 0)
                    .putBytes(Neighbour.NDA_DST, Addresses.bytes(family, address)));
        } catch (OsException e) {
            if (e.errno() != OsException.ENOENT) {
                throw e;
            }
        }
    }

    private static NetlinkWriter neighbourHeader(NetlinkWriter request, int index, int family, int flags) {
        request.room(12)
                .putInt(family)
                .putInt(index)
                .putShort((short) NUD_NONE)
                .put((byte) flags)
                .put((byte) 0);
        return request;
    }
}
