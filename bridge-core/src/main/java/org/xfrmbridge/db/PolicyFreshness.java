package org.xfrmbridge.db;

import org.xfrmbridge.db.SocketPolicies.LocalEndpoint;
import org.xfrmbridge.xfrm.Direction;
import org.xfrmbridge.xfrm.Flow;
import org.xfrmbridge.xfrm.Policy;
import org.xfrmbridge.xfrm.PolicySpec;

/**
 * Whether the policies that were found for a flow are still those that rule it, without asking for them again: one of
 * them may have gone, or one that has come since may take its place. As long as nothing has come for anybody that costs
 * two numbers. Else a flow reads one for each of its stripes (see {@link PolicyChanges}), and compares itself with what
 * came there, which is no concern of most. After more changes than are kept, or than it is worth while to compare, the
 * answer is no.
 *
 * <p>Made before the policies are looked for; of one datapath thread, and it never allocates after construction. The
 * flow is always the same one.
 */
public final class PolicyFreshness {
    /** To compare more would cost as much as to ask for the policies. */
    static final int MOST_COMPARED = 64;

    private final PolicyChanges policies;
    private final ChangeLog<LocalEndpoint> sockets;
    private final Direction direction;
    private long policiesSeen;
    private long socketsSeen;

    public PolicyFreshness(Spd spd, SocketPolicies sockets, Direction direction, Flow flow) {
        policies = spd.changes();
        this.sockets = sockets.changes();
        this.direction = direction;
        policiesSeen = policies.number();
        socketsSeen = this.sockets.number();
    }

    /**
     * @param found the policies that rule the flow, in the order in which they were found: a socket's, or of dir
     *     {@code direction} (after a sub-policy, dir in)
     */
    public boolean holds(Flow flow, Policy[] found) {
        long policiesNow = policies.number();
        long socketsNow = sockets.number();
        if (policiesNow != policiesSeen || socketsNow != socketsSeen) {
            if (concernsPort(flow) || !isOfSocket(found) && concernsAddresses(flow, found)) {
                return false;
            }
            policiesSeen = policiesNow;
            socketsSeen = socketsNow;
        }
        for (Policy policy : found) {
            if (policy.isDead()) {
                return false;
            }
        }
        return true;
    }

    private static boolean isOfSocket(Policy[] found) {
        return found.length > 0 && Spd.isSocketPolicy(found[0]);
    }

    private boolean concernsPort(Flow flow) {
        if (direction == Direction.FWD) {
            return false;
        }
        int localPort = SocketPolicies.localPort(direction, flow);
        long change = sockets.latest(SocketPolicies.stripe(flow.protocol, localPort));
        for (int compared = 0; change > socketsSeen; compared++) {
            long before = sockets.before(change);
            LocalEndpoint changed = sockets.get(change);
            if (changed == null
                    || changed.port() == localPort && changed.protocol() == flow.protocol
                    || compared == MOST_COMPARED) {
                return true;
            }
            change = before;
        }
        return false;
    }

    private boolean concernsAddresses(Flow flow, Policy[] found) {
        int group = PolicyChanges.group(direction, flow.family);
        int compared = 0;
        for (long news = policies.news(group, flow, policiesSeen); news != 0; news &= news - 1) {
            long change = policies.latest(PolicyChanges.stripe(group, Long.numberOfTrailingZeros(news), flow));
            while (change > policiesSeen) {
                long before = policies.before(change);
                if (compared++ == MOST_COMPARED || mayRule(policies.get(change), flow, found)) {
                    return true;
                }
                change = before;
            }
        }
        return false;
    }

    /**
     * @param added null for one that is not kept any more. Most are told by their priority alone, which is read first.
     */
    private boolean mayRule(PolicySpec added, Flow flow, Policy[] found) {
        return added == null || !isOutranked(added, found) && isAsked(added.direction()) && added.matches(flow);
    }

    /** Behind a sub-policy of dir fwd the policies of dir in are asked, too. */
    private boolean isAsked(Direction changed) {
        return changed == direction || direction == Direction.FWD && changed == Direction.IN;
    }

    /** Where priorities are equal the order has more to it. */
    private static boolean isOutranked(PolicySpec added, Policy[] found) {
        for (Policy policy : found) {
            PolicySpec spec = policy.spec();
            if (spec.type() == added.type() && Integer.compareUnsigned(spec.priority(), added.priority()) < 0) {
                return true;
            }
        }
        return false;
    }
}
