package org.xfrmbridge.datapath;

import org.xfrmbridge.db.PolicyFreshness;
import org.xfrmbridge.db.StateFreshness;
import org.xfrmbridge.xfrm.Direction;
import org.xfrmbridge.xfrm.Flow;
import org.xfrmbridge.xfrm.Policy;
import org.xfrmbridge.xfrm.State;

/**
 * What the flow cache remembers of an outbound flow: the decision, and what tells whether everything it was made from
 * is as it was. A stale one is resolved again by the next packet; nothing walks over routes when databases change, and
 * what changes for other flows makes none stale.
 */
final class OutboundRoute {
    static final Policy[] NO_POLICIES = {};
    static final State[] NO_STATES = {};
    static final int NO_LIMIT = Integer.MAX_VALUE;

    /** Null if packets pass, with a {@link #bundle} or without. */
    final DropCause cause;
    /** What was looked for in vain; null if packets pass, or policies have blocked them. */
    final PacketRecord.Need need;

    final Bundle bundle;
    /** How long packets may be that pass without a bundle. */
    final int mtu;
    /** What stands behind the flow's interface: {@link Flow#lowerIfindex}. */
    final int lowerIfindex;

    final Policy[] policies;
    /** Whether its socket is bound to the interface that it leaves by. */
    final boolean isBound;

    /** To whom packets are to go. */
    final Place place;

    private final PolicyFreshness policyFreshness;
    private final StateFreshness[] stateFreshness;
    private final int networkGeneration;
    private final int pathMtuGeneration;
    /** States that were found where others are missing; a bundle knows its own. */
    private final State[] found;

    private final State[] larvalStates;
    private final long validUntilNs;

    /** What was current before anything was asked: what changes in the meantime makes the answer stale, not wrong. */
    record Generations(PolicyFreshness policies, int network, int pathMtu) {
        static Generations of(PathContext context, Flow flow) {
            return new Generations(
                    new PolicyFreshness(context.spd(), context.sockets(), Direction.OUT, flow),
                    context.network().generation(),
                    context.pathMtu().generation());
        }
    }

    /** Whether packets are dropped, and for want of what. */
    record Decision(DropCause cause, PacketRecord.Need need) {}

    /**
     * Which thread has the States.
     *
     * @param owners null where that cannot change: there is one thread, or no State
     * @param cpu as whose packets that thread is to look for them: the CPU that they are for, or {@link Flow#NO_CPU}
     */
    record Place(BundleOwners owners, int thread, int cpu) {
        boolean holds() {
            return owners == null || owners.thread() == thread;
        }
    }

    /**
     * What a decision rests on: the questions to the Sad, larval States maybe, and it may be good for some time only.
     */
    record Basis(
            Generations made,
            StateFreshness[] stateFreshness,
            State[] found,
            State[] larvalStates,
            long validUntilNs) {}

    OutboundRoute(
            Decision decision,
            Bundle bundle,
            int mtu,
            int lowerIfindex,
            boolean isBound,
            Policy[] policies,
            Place place,
            Basis basis) {
        cause = decision.cause;
        need = decision.need;
        this.bundle = bundle;
        this.mtu = mtu;
        this.lowerIfindex = lowerIfindex;
        this.isBound = isBound;
        this.policies = policies;
        this.place = place;
        policyFreshness = basis.made.policies;
        networkGeneration = basis.made.network;
        pathMtuGeneration = basis.made.pathMtu;
        stateFreshness = basis.stateFreshness;
        found = bundle == null ? basis.found : NO_STATES;
        larvalStates = basis.larvalStates;
        validUntilNs = basis.validUntilNs;
    }

    /** @param flow the one it was decided for, with {@link #lowerIfindex} */
    boolean isFresh(PathContext context, FlowInterfaces interfaces, Flow flow, long nowNs) {
        if (networkGeneration != context.network().generation()
                || pathMtuGeneration != context.pathMtu().generation()
                || !interfaces.hold(flow, networkGeneration)
                || validUntilNs - nowNs <= 0
                || !place.holds()
                || !policyFreshness.holds(flow, policies)) {
            return false;
        }
        for (StateFreshness one : stateFreshness) {
            if (!one.holds()) {
                return false;
            }
        }
        for (State state : found) {
            if (!state.isValid()) {
                return false;
            }
        }
        for (State larval : larvalStates) {
            if (larval.phase() != State.Phase.ACQUIRING) {
                return false;
            }
        }
        return bundle == null || bundle.isFresh();
    }

    void touchPolicies(Steering steering, long nowSeconds) {
        for (Policy policy : policies) {
            steering.touch(policy, nowSeconds);
        }
    }
}
