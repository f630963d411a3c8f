package org.xfrmbridge.db;

import org.xfrmbridge.db.SocketPolicies.LocalEndpoint;
import org.xfrmbridge.xfrm.Address;
import org.xfrmbridge.xfrm.AddressFamily;
import org.xfrmbridge.xfrm.Direction;
import org.xfrmbridge.xfrm.Policy;

/** A socket and what it asked for; a change is a new one in its place. */
record BoundSocket(LocalEndpoint at, Policy in, Policy out, int encapsulationType) {
    private static final long MAPPED_PREFIX = 0xffff00000000L;

    Policy policy(Direction direction) {
        return direction == Direction.IN ? in : out;
    }

    BoundSocket withPolicy(Direction direction, Policy policy) {
        boolean inbound = direction == Direction.IN;
        return new BoundSocket(at, inbound ? policy : in, inbound ? out : policy, encapsulationType);
    }

    BoundSocket withEncapsulation(int type) {
        return new BoundSocket(at, in, out, type);
    }

    BoundSocket movedTo(LocalEndpoint to) {
        return new BoundSocket(to, in, out, encapsulationType);
    }

    boolean hasPolicy() {
        return in != null || out != null;
    }

    boolean hasEncapsulation() {
        return encapsulationType != 0;
    }

    boolean isBoundToAny() {
        return at.address().isAny(at.family());
    }

    /** Whether packets of this family to this address, one of the host's own, come here. */
    boolean takes(int family, long high, long low) {
        Address address = at.address();
        if (at.family() == family) {
            return isBoundToAny() || address.equalsAs(new Address(high, low), family);
        }
        return at.family() == AddressFamily.INET6
                && at.families() == SocketPolicies.Families.BOTH
                && (isBoundToAny()
                        || address.high() == 0 && address.low() == (MAPPED_PREFIX | high >>> 32));
    }

    /** Of two that take a packet of this family; {@code earlier} comes first in {@link PortSockets}, or is null. */
    boolean isBetterThan(BoundSocket earlier, int family) {
        return earlier == null
                || at.family() == family && earlier.at.family() != family && isBoundToAny() == earlier.isBoundToAny();
    }
}
