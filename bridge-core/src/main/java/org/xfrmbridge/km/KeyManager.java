package org.xfrmbridge.km;

import org.xfrmbridge.xfrm.Direction;
import org.xfrmbridge.xfrm.Address;
import org.xfrmbridge.xfrm.Policy;
import org.xfrmbridge.xfrm.PolicySpec;
import org.xfrmbridge.xfrm.Selector;
import org.xfrmbridge.xfrm.State;
import org.xfrmbridge.xfrm.Template;

/**
 * One control front end as the core sees it, {@code struct xfrm_mgr}: netlink and PF_KEY are two of them and hear of every change, whoever
 * made it. Called on the control thread only; must not call back into {@link XfrmService}.
 */
public interface KeyManager {
    enum StateChange {
        NEW,
        UPDATE,
        DELETE
    }

    enum PolicyChange {
        NEW,
        UPDATE,
        DELETE
    }

    void stateChanged(StateChange change, State state, Origin origin);

    /** All States of a protocol went (255: of all); sent once for the whole flush. */
    void statesFlushed(int protocol, Origin origin);

    /** @param byIndex whether the client that deleted it named it by index: its event then does so, too */
    void policyChanged(PolicyChange change, Policy policy, boolean byIndex, Origin origin);

    void policiesFlushed(PolicySpec.Type type, Origin origin);

    /** A soft or hard limit of a State was reached. */
    void stateExpired(State state, boolean hard, int portId);

    void policyExpired(Policy policy, Direction direction, boolean hard, int portId);

    /**
     * A Template found no State.
     *
     * @return whether somebody listens and will answer; if no key manager does, the larval State is given up at once
     */
    boolean acquire(Acquire acquire);

    /** @param larval the State that stands for the answer; its seq is the request's number */
    record Acquire(State larval, Template template, Policy policy, Direction direction) {}

    /** An inbound encapsulated packet came from another address or port than the State knows. */
    void mappingChanged(State state, Address newSaddr, int newSport);

    /**
     * Whether somebody listens to {@link #replayChanged}; while nobody does no replay counter is watched ({@code xfrm_aevent_is_on}). Any
     * thread asks, often.
     */
    default boolean hearsReplay() {
        return false;
    }

    /** {@code XFRM_MSG_NEWAE} to the AEVENTS group. @param flags XFRM_AE_ bits that say why */
    void replayChanged(State state, int flags, Origin origin);

    /** {@code XFRM_MSG_REPORT}. */
    void report(int protocol, Selector selector, Address address);

    /** Policies and States have moved to other addresses. */
    default void migrated(Migration migration) {}

    /** One State has moved. @param moved as it is now */
    default void stateMigrated(StateMigration migration, State moved, Origin origin) {}

    /** The default verdicts changed ({@code XFRM_MSG_GETDEFAULT} is what listeners get). */
    void defaultsChanged(XfrmService.Defaults defaults, Origin origin);
}
