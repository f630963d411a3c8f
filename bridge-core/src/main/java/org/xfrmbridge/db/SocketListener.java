package org.xfrmbridge.db;

import org.xfrmbridge.db.SocketPolicies.LocalEndpoint;
import org.xfrmbridge.xfrm.Policy;

/**
 * Told of each socket that {@link SocketPolicies} find for flows. One that changes or moves comes as it is now, and
 * then goes as it was. Control thread; must not change a database.
 */
public interface SocketListener {
    /**
     * No lookup finds it yet.
     *
     * @param in null if it has none
     * @param out null if it has none
     * @param encapsulationType of UDP_ENCAP, 0 for none
     */
    void comes(LocalEndpoint at, Policy in, Policy out, int encapsulationType);

    /** No lookup finds it any more. */
    void goes(LocalEndpoint at, Policy in, Policy out, int encapsulationType);
}
