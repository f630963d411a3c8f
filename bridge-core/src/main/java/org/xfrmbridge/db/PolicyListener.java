package org.xfrmbridge.db;

import org.xfrmbridge.xfrm.Direction;
import org.xfrmbridge.xfrm.Policy;
import org.xfrmbridge.xfrm.PolicySpec;

/**
 * Told of all that the {@link Spd} finds for flows, whoever changes it. A Policy that only gets other templates neither
 * comes nor goes, and those of sockets are a {@link SocketListener}'s. Control thread; must not change a database.
 */
public interface PolicyListener {
    /** No lookup finds it yet; one that it replaces goes afterwards. */
    default void comes(Policy policy) {}

    /** No lookup finds it any more. */
    default void goes(Policy policy) {}

    /** What becomes of flows that no Policy matches is about to change. */
    default void defaultChanges(Direction direction, PolicySpec.Action action) {}
}
