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
public record TcpConnection(int family, Address local, Address remote, int remotePort) {
    /** @param family of the socket, whose addresses may be mapped ones */
    public static TcpConnection of(int family, Address local, Address remote, int remotePort) {
        return family == AddressFamily.INET6 && local.isMapped()
                ? new TcpConnection(AddressFamily.INET, local.unmapped(), remote.unmapped(), remotePort)
                : new TcpConnection(family, local.only(family), remote.only(family), remotePort);
    }

    /** Whether a flow is of it, out or in. There may be thousands at a port: most are told by the remote one alone. */
    boolean isOf(Direction direction, Flow flow) {
        boolean out = direction == Direction.OUT;
        if (remotePort != (out ? flow.dport : flow.sport) || family != flow.family) {
            return false;
        }
        Address source = out ? local : remote;
        Address destination = out ? remote : local;
        return source.high() == flow.saddrHigh
                && source.low() == flow.saddrLow
                && destination.high() == flow.daddrHigh
                && destination.low() == flow.daddrLow;
    }
}
