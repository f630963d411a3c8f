package org.xfrmbridge.datapath;

import org.xfrmbridge.xfrm.Address;
import org.xfrmbridge.xfrm.Policy;
import org.xfrmbridge.xfrm.State;

/**
 * What the flow cache remembers of an outbound flow: the decision, and the generations of everything it was made from. A stale one is
 * resolved again by the next packet; nothing walks over routes when databases change.
 */
final class OutboundRoute {
    static final Policy[] NO_POLICIES = {};
    private static final State[] NO_STATES = {};

    /** Null if packets pass, with a {@link #bundle} or without. */
    final DropReason reason;
    final Bundle bundle;
    final Policy[] policies;

    private final Generations made;
    private final Dependency[] dependencies;
    /** States that were found where others are missing; a bundle knows its own. */
    private final State[] found;
    private final State larval;
    private final long validUntilNs;

    /** What was current before the decision was made. */
    record Generations(int spd, int sockets, int network, int pathMtu) {
        static Generations of(PathContext context) {
            return new Generations(
                    context.spd().generation(),
                    context.sockets().generation(),
                    context.network().generation(),
                    context.pathMtu().generation());
        }

        boolean areCurrent(PathContext context) {
            return spd == context.spd().generation()
                    && sockets == context.sockets().generation()
                    && network == context.network().generation()
                    && pathMtu == context.pathMtu().generation();
        }
    }

    /** A question that the Sad was asked: a State added between these two ends may be a better answer. */
    record Dependency(Address daddr, Address saddr, int family, int generation) {}

    /** What a decision rests on: a larval State may be among it, and it may be good for some time only. */
    record Basis(Generations made, Dependency[] dependencies, State[] found, State larval, long validUntilNs) {}

    OutboundRoute(DropReason reason, Bundle bundle, Policy[] policies, Basis basis) {
        this.reason = reason;
        this.bundle = bundle;
        this.policies = policies;
        made = basis.made;
        dependencies = basis.dependencies;
        found = bundle == null ? basis.found : NO_STATES;
        larval = basis.larval;
        validUntilNs = basis.validUntilNs;
    }

    boolean isFresh(PathContext context, long nowNs) {
        if (!made.areCurrent(context) || validUntilNs - nowNs <= 0 || (larval != null && larval.phase() != State.Phase.ACQUIRING)) {
            return false;
        }
        for (Dependency dependency : dependencies) {
            if (context.sad().generation(dependency.daddr, dependency.saddr, dependency.family) != dependency.generation) {
                return false;
            }
        }
        for (State state : found) {
            if (!state.isValid()) {
                return false;
            }
        }
        return bundle == null || bundle.isFresh();
    }

    void touchPolicies(long nowSeconds) {
        for (Policy policy : policies) {
            policy.touch(nowSeconds);
        }
    }
}
