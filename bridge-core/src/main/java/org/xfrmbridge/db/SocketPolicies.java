package org.xfrmbridge.db;

import org.xfrmbridge.xfrm.Direction;
import org.xfrmbridge.xfrm.Flow;
import org.xfrmbridge.xfrm.Policy;

/**
 * Policies of single sockets (IP_XFRM_POLICY) and sockets that take ESP in UDP (UDP_ENCAP). Packets carry no socket, so a socket is
 * known by protocol, local address and local port. Signatures fixed for the callers; bodies are written in db.
 */
public final class SocketPolicies {
    /** The policy of the socket a flow leaves from (OUT) or arrives at (IN), or null. Any thread, never blocks. */
    public Policy lookup(Direction direction, Flow flow) {
        throw new UnsupportedOperationException();
    }

    /** The encapsulation type (2: ESP in UDP) a socket on this local UDP port and address asked for, or 0. Any thread. */
    public int encapsulationType(int family, long addressHigh, long addressLow, int port) {
        throw new UnsupportedOperationException();
    }

    /** Changes with every registration. Any thread. */
    public int generation() {
        throw new UnsupportedOperationException();
    }
}
