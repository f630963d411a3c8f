package org.xfrmbridge.km;

import org.xfrmbridge.xfrm.Address;
import org.xfrmbridge.xfrm.Direction;
import org.xfrmbridge.xfrm.Policy;
import org.xfrmbridge.xfrm.PolicySpec;
import org.xfrmbridge.xfrm.State;
import org.xfrmbridge.xfrm.Template;

/**
 * Hears of every change of States and Policies, whoever made it; its only say is {@link #beforePolicyChange}. One that
 * implements only some methods does not hear of the rest. Called on the control thread only; must not call back into
 * {@link XfrmService}.
 */
public interface ChangeListener {
    enum Change {
        NEW,
        UPDATE,
        DELETE
    }

    default void stateChanged(Change change, State state, Origin origin) {}

    /** All States of a protocol went (255: of all); sent once for the whole flush. */
    default void statesFlushed(int protocol, Origin origin) {}

    /** @param byIndex whether the client that deleted it named it by index: its event then does so, too */
    default void policyChanged(Change change, Policy policy, boolean byIndex, Origin origin) {}

    default void policiesFlushed(PolicySpec.Type type, Origin origin) {}

    /**
     * Asked before a Policy is added, replaced or moved, and before default verdicts change.
     *
     * @throws XfrmException if it must not be now: ENOSPC if it could not be remembered
     */
    default void beforePolicyChange() throws XfrmException {}

    /** A soft or hard limit of a State was reached. */
    default void stateExpired(State state, boolean hard, int portId) {}

    default void policyExpired(Policy policy, Direction direction, boolean hard, int portId) {}

    /** A Template found no State, and every {@link KeyManager} was asked. */
    default void acquireSent(Acquire acquire) {}

    /** @param larval the State that stands for the answer; its seq is the request's number */
    record Acquire(State larval, Template template, Policy policy, Direction direction) {}

    /** An inbound encapsulated packet came from another address or port than the State knows. */
    default void mappingChanged(State state, Address newSaddr, int newSport) {}

    /** {@code XFRM_MSG_NEWAE} to the AEVENTS group. @param flags XFRM_AE_ bits that say why */
    default void replayChanged(State state, int flags, Origin origin) {}

    /** States and a Policy's templates have moved to other addresses. @param policy as it is now */
    default void migrated(Migration migration, Policy policy) {}

    /** One State has moved. @param moved as it is now */
    default void stateMigrated(StateMigration migration, State moved, Origin origin) {}

    /** The default verdicts changed ({@code XFRM_MSG_GETDEFAULT} is what listeners get). */
    default void defaultsChanged(XfrmService.Defaults defaults, Origin origin) {}
}
