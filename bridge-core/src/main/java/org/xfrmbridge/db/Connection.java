package org.xfrmbridge.db;

import org.xfrmbridge.xfrm.Address;
import org.xfrmbridge.xfrm.AddressFamily;
import org.xfrmbridge.xfrm.Direction;
import org.xfrmbridge.xfrm.Flow;

/**
 * Both ends of a TCP connection but for the local port. Of the family of its packets: one between mapped addresses is
 * of INET.
 *
 * @param remotePort in host order
 */
public record Connection(int family, Address local, Address remote, int remotePort) {
    /** @param family of the socket, whose addresses may be mapped ones */
    public static Connection of(int family, Address local, Address remote, int remotePort) {
        return family == AddressFamily.INET6 && local.isMapped()
                ? new Connection(AddressFamily.INET, local.unmapped(), remote.unmapped(), remotePort)
                : new Connection(family, local.only(family), remote.only(family), remotePort);
    }

    /** The one that a flow is of, out or in. */
    static Connection of(Direction direction, Flow flow) {
        return direction == Direction.OUT
                ? new Connection(flow.family, flow.saddr(), flow.daddr(), flow.dport)
                : new Connection(flow.family, flow.daddr(), flow.saddr(), flow.sport);
    }
}
