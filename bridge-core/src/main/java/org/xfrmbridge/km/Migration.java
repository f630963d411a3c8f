package org.xfrmbridge.km;

import java.util.List;
import org.xfrmbridge.xfrm.Address;
import org.xfrmbridge.xfrm.Encapsulation;
import org.xfrmbridge.xfrm.PolicySpec;
import org.xfrmbridge.xfrm.Selector;

/**
 * {@code XFRM_MSG_MIGRATE}: what protected traffic between old addresses is to do so between new ones.
 *
 * @param selector of traffic whose Policy is meant
 * @param direction number of the Policy's direction, checked by the verb
 * @param type null for one that does not exist
 * @param moves 1 to 6
 * @param keyManager where the key managers of both sides are, for listeners; null if not said
 * @param encapsulation that States get, null to keep theirs
 * @param ifId of Policy and States
 */
public record Migration(
        Selector selector,
        int direction,
        PolicySpec.Type type,
        List<Move> moves,
        KeyManagerAddresses keyManager,
        Encapsulation encapsulation,
        int ifId) {
    /**
     * {@code struct xfrm_user_migrate}.
     *
     * @param reqid 0 for any
     * @param mode number of a {@link org.xfrmbridge.xfrm.Mode}
     */
    public record Move(
            Address oldDaddr,
            Address oldSaddr,
            Address newDaddr,
            Address newSaddr,
            int protocol,
            int mode,
            int reqid,
            int oldFamily,
            int newFamily) {}

    /** {@code struct xfrm_user_kmaddress}. */
    public record KeyManagerAddresses(Address local, Address remote, int reserved, int family) {}
}
