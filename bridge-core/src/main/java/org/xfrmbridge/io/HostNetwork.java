package org.xfrmbridge.io;

import java.util.List;
import org.xfrmbridge.xfrm.Address;

/**
 * What the datapath needs to know of the host it stands in front of: its addresses, routes and neighbours. Datapath
 * threads call; answers are cached by the callers under {@link #generation}.
 */
public interface HostNetwork {
    /**
     * The link address that the host is told for neighbours that are nobody, as they are behind a tunnel; locally
     * administered, never on the wire.
     */
    long TUNNEL_NEIGHBOUR_MAC = 0x0258_4652_4d01L;

    /** Changes whenever an earlier answer may have become wrong. Costs a volatile read. */
    int generation();

    /**
     * Whether the host itself has this address (then dir in applies to a packet, else dir fwd). Also broadcast and
     * multicast: true.
     */
    boolean isLocal(int family, long high, long low);

    /** The host's own unicast addresses of a family, loopback's left out. Rarely asked. */
    List<Address> localAddresses(int family);

    /**
     * Where an outer packet goes: asks the routing and neighbour tables. May take tens of microseconds. Null while
     * there is no route or the neighbour is not known yet; it then has been asked for, and {@link #generation} changes
     * when it answers within some seconds. Who still wants it asks again.
     *
     * @param source another host's if the packet is one that this host forwards
     * @param mark of the packet, for routing rules that look at it
     */
    NextHop resolve(int family, Address source, Address destination, int mark);

    /**
     * The same in a VRF, which has routes of its own.
     *
     * @param vrf index of its device, 0 for none
     */
    default NextHop resolve(int family, Address source, Address destination, int mark, int vrf) {
        return resolve(family, source, destination, mark);
    }

    /**
     * Index of the device of the VRF that an interface is in, or is the device of; 0 if it is in none. Costs a volatile
     * read where the host has no VRF. {@link #generation} tells of a change.
     */
    default int vrfOf(int ifindex) {
        return 0;
    }

    /**
     * Index of the interface whose place the datapath has taken, 0 for none. {@link #generation} tells of a change.
     * Costs a volatile read.
     */
    default int attachedIndex() {
        return 0;
    }

    /**
     * Index of the interface by which the host sends a packet, 0 if there is no way. May take tens of microseconds;
     * asked for a flow's first packet, and only while a policy names an interface. {@link #generation} tells of a
     * change.
     *
     * @param source {@link Address#ANY} for any; another host's if the packet is one that this host forwards
     * @param mark of the packet, for routing rules that look at it
     */
    default int outputIndex(int family, Address source, Address destination, int mark) {
        return attachedIndex();
    }

    /** The largest IP packet that the link takes, whatever its way beyond that. */
    int linkMtuBytes();

    /**
     * Whether a neighbour is one that packets go through: a gateway of any of the host's routes, in whatever table and
     * form, or what {@link #resolve} was told. True also while that cannot be said. Rarely asked.
     */
    boolean isNextHop(int family, Address address);

    /**
     * Whether a neighbour is on a network that the host has an address of; not if a route alone says that it is on the
     * link. True also while that cannot be said. Rarely asked.
     */
    boolean isOnSubnet(int family, Address address);

    /** The source address the host would use towards a destination, or null without a route. */
    Address sourceFor(int family, Address destination);

    /**
     * Sends a packet, IP header included, as one of the host's own: it takes the host's routes. Rarely asked; may take
     * tens of microseconds. False if it cannot be sent.
     */
    default boolean sendAsHost(int family, byte[] data, int at, int bytes) {
        return false;
    }

    /**
     * A packet passes whose connection nobody has answered yet: what the host's connection tracking knows of it was
     * said while it was not known whether a policy protects it, and forbids the source NAT that it is to have. Rarely
     * asked; may take tens of microseconds.
     *
     * @param data the packet, its IP header at {@code network}, what that carries at {@code transport}
     */
    default void forgetConnection(int family, int protocol, byte[] data, int network, int transport) {}

    /**
     * Whether packets of a family leave without regard to policies, but for those of sockets: {@code disable_xfrm}.
     * {@link #generation} tells of a change.
     */
    default boolean isXfrmDisabled(int family) {
        return false;
    }

    /**
     * Whether packets of a family come in without regard to policies, but for those of sockets: {@code disable_policy}.
     * Costs a volatile read.
     */
    default boolean isPolicyDisabled(int family) {
        return false;
    }

    /**
     * The same, if need be asked of the kernel in this moment: for where {@link #isLocal} may know too little, as it is
     * told of addresses a little later.
     */
    default boolean isLocalNow(int family, Address address) {
        return isLocal(family, address.high(), address.low());
    }

    /** Nobody can tell whose a flow is. */
    long UNKNOWN_SOCKET = -1;

    /**
     * The kernel's number (SO_COOKIE) of the host's TCP or UDP socket at a local port that has what goes to and comes
     * from a remote one. 0 if there is none; {@link #UNKNOWN_SOCKET} if the kernel does not say. May take tens of
     * microseconds, and is not cached.
     */
    default long socketAt(int family, int protocol, Address local, int localPort, Address remote, int remotePort) {
        return UNKNOWN_SOCKET;
    }

    /**
     * Whether the socket of a TCP or UDP flow of the host's is bound to an interface. May take tens of microseconds;
     * asked for a flow's first packet that shows that interface.
     */
    default boolean isBoundTo(
            int ifindex, int family, int protocol, Address local, int localPort, Address remote, int remotePort) {
        return false;
    }

    /**
     * Whether a socket that waits for TCP or UDP at a port is bound to an interface, as of some seconds ago. Costs a
     * volatile read where none is bound to any.
     */
    default boolean isServedAt(int ifindex, int protocol, int port) {
        return false;
    }

    /** Whether what was opened can come in by an interface. Costs a volatile read. */
    default boolean takesOpened(int ifindex) {
        return false;
    }

    /** MAC addresses in the low 48 bits, big endian; the largest IP packet the way takes. */
    record NextHop(long sourceMac, long destinationMac, int mtuBytes) {}
}
