package org.xfrmbridge.db;

import org.xfrmbridge.db.SocketPolicies.LocalEndpoint;
import org.xfrmbridge.xfrm.Address;
import org.xfrmbridge.xfrm.AddressFamily;
import org.xfrmbridge.xfrm.Direction;
import org.xfrmbridge.xfrm.Flow;
import org.xfrmbridge.xfrm.Policy;
import org.xfrmbridge.xfrm.PolicySpec;

/**
 * A socket and what it asked for; a change is a new one in its place.
 *
 * @param cookie the kernel's number of it, or another that its owner knows it by
 * @param connection what it sends and gets is of this one alone; null for all that its port has
 * @param held whether a process is known that has it
 */
record BoundSocket(
        long cookie,
        LocalEndpoint at,
        TcpConnection connection,
        boolean held,
        Policy in,
        Policy out,
        int encapsulationType) {
    private static final int RANKS = 4;
    private static final int STRICTNESSES = 3;

    BoundSocket(long cookie, LocalEndpoint at) {
        this(cookie, at, null, true, null, null, 0);
    }

    Policy policy(Direction direction) {
        return direction == Direction.IN ? in : out;
    }

    /** The policy of the direction if it is for the flow ({@code xfrm_sk_policy_lookup}), else null. */
    Policy policyFor(Direction direction, Flow flow) {
        Policy policy = policy(direction);
        return policy != null && policy.spec().matches(flow) ? policy : null;
    }

    BoundSocket withPolicy(Direction direction, Policy policy) {
        boolean inbound = direction == Direction.IN;
        return new BoundSocket(
                cookie, at, connection, held, inbound ? policy : in, inbound ? out : policy, encapsulationType);
    }

    BoundSocket withEncapsulation(int type) {
        return new BoundSocket(cookie, at, connection, held, in, out, type);
    }

    BoundSocket movedTo(LocalEndpoint to) {
        return new BoundSocket(cookie, to, null, held, in, out, encapsulationType);
    }

    BoundSocket withConnection(TcpConnection only) {
        return new BoundSocket(cookie, at, only, held, in, out, encapsulationType);
    }

    BoundSocket heldBy(boolean anybody) {
        return new BoundSocket(cookie, at, connection, anybody, in, out, encapsulationType);
    }

    boolean hasPolicy() {
        return in != null || out != null;
    }

    boolean hasEncapsulation() {
        return encapsulationType != 0;
    }

    /** Whether its packets may have other ports than the one it is registered with, which is none. */
    boolean isFloating() {
        return at.isFloating() && hasPolicy();
    }

    boolean isBoundToAny() {
        return at.address().isAny(at.family());
    }

    boolean isOf(Direction direction, Flow flow) {
        return connection != null && connection.isOf(direction, flow);
    }

    /** Whether packets of this family to this address, one of the host's own, come here. */
    boolean takes(int family, long high, long low) {
        Address address = at.address();
        if (at.family() == family) {
            return isBoundToAny() || address.equalsAs(new Address(high, low), family);
        }
        return at.family() == AddressFamily.INET6
                && at.families() == SocketPolicies.Families.BOTH
                && (isBoundToAny() || takesMapped(address, high));
    }

    private static boolean takesMapped(Address address, long high) {
        return address.isMapped()
                && (address.unmapped().ipv4() == 0 || address.unmapped().high() == high);
    }

    /**
     * Of several that take a packet of this family: one bound to its address before one bound to any, then one of its
     * family.
     */
    int rank(int family) {
        return (isBoundToAny() ? 0 : 2) + (at.family() == family ? 1 : 0);
    }

    /**
     * The same with what the policy says. Which of sockets that share a port has sent a packet cannot be told: out, the
     * strictest policy holds. In, the kernel gives it to the one that is bound best.
     */
    int rank(Direction direction, int family, Policy policy) {
        PolicySpec spec = policy.spec();
        int strictness =
                spec.action() != PolicySpec.Action.ALLOW ? 2 : spec.templates().isEmpty() ? 0 : 1;
        return direction == Direction.OUT
                ? strictness * RANKS + rank(family)
                : rank(family) * STRICTNESSES + strictness;
    }
}
