package org.xfrmbridge.db;

import org.xfrmbridge.db.SocketPolicies.LocalEndpoint;
import org.xfrmbridge.xfrm.Direction;
import org.xfrmbridge.xfrm.Flow;
import org.xfrmbridge.xfrm.Policy;
import org.xfrmbridge.xfrm.PolicySpec;

/**
 * Whether the policies that were found for a flow are still those that rule it, without asking for them again: one of them may have gone, or one that has
 * come since may take its place. Changes that are no concern of the flow cost a comparison each and change nothing; after more changes
 * than the databases remember the answer is no.
 *
 * <p>Made before the policies are looked for; of one datapath thread, and it never allocates after construction. The flow is always the same one.
 */
public final class PolicyWatch {
    private final Spd spd;
    private final SocketPolicies sockets;
    private final Direction direction;
    private final int hostStripe;
    private final int networkStripe;
    private final int portStripe;
    private int host;
    private int network;
    private int wide;
    private int port;

    public PolicyWatch(Spd spd, SocketPolicies sockets, Direction direction, Flow flow) {
        this.spd = spd;
        this.sockets = sockets;
        this.direction = direction;
        hostStripe = PolicyChanges.hostStripe(flow);
        networkStripe = PolicyChanges.networkStripe(flow);
        portStripe = SocketPolicies.stripe(flow.protocol, localPort(flow));
        host = spd.changes().narrow().number(hostStripe);
        network = spd.changes().narrow().number(networkStripe);
        wide = spd.changes().wide().number(0);
        port = sockets.changes().number(portStripe);
    }

    /** @param found the policies that rule the flow, in the order in which they were found: a socket's, or of dir {@code direction} (after a sub-policy, dir in) */
    public boolean holds(Flow flow, Policy[] found) {
        int hostNow = spd.changes().narrow().number(hostStripe);
        int networkNow = spd.changes().narrow().number(networkStripe);
        int wideNow = spd.changes().wide().number(0);
        int portNow = sockets.changes().number(portStripe);
        if (host != hostNow || network != networkNow || wide != wideNow || port != portNow) {
            if (concernsPort(portNow, flow) || !isOfSocket(found) && concernsAddresses(hostNow, networkNow, wideNow, flow, found)) {
                return false;
            }
            host = hostNow;
            network = networkNow;
            wide = wideNow;
            port = portNow;
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

    private boolean concernsPort(int now, Flow flow) {
        if (direction == Direction.FWD || now == port) {
            return false;
        }
        int localPort = localPort(flow);
        for (int i = port; i != now; i++) {
            LocalEndpoint changed = sockets.changes().get(portStripe, i + 1);
            if (changed == null || changed.port() == localPort && changed.protocol() == flow.protocol) {
                return true;
            }
        }
        return false;
    }

    private int localPort(Flow flow) {
        return direction == Direction.OUT ? flow.sport : flow.dport;
    }

    private boolean concernsAddresses(int hostNow, int networkNow, int wideNow, Flow flow, Policy[] found) {
        ChangeLog<PolicySpec> narrow = spd.changes().narrow();
        for (int i = host; i != hostNow; i++) {
            if (mayRule(narrow.get(hostStripe, i + 1), flow, found)) {
                return true;
            }
        }
        for (int i = network; i != networkNow; i++) {
            if (mayRule(narrow.get(networkStripe, i + 1), flow, found)) {
                return true;
            }
        }
        for (int i = wide; i != wideNow; i++) {
            if (mayRule(spd.changes().wide().get(0, i + 1), flow, found)) {
                return true;
            }
        }
        return false;
    }

    /** @param added null for one that is not remembered any more */
    private boolean mayRule(PolicySpec added, Flow flow, Policy[] found) {
        return added == null
                || isAsked(added.direction())
                        && added.selector().matches(flow, flow.family)
                        && added.mark().fits(flow.mark)
                        && added.ifId() == flow.ifId
                        && !isOutranked(added, found);
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
