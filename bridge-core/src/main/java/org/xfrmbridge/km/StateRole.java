package org.xfrmbridge.km;

import org.xfrmbridge.xfrm.Address;
import org.xfrmbridge.xfrm.State;
import org.xfrmbridge.xfrm.StateSpec;

/** What a State has in common with its successors: a rekeyed one has another SPI, and other keys. */
public record StateRole(Address source, Address destination, int family, int protocol, int reqid, int ifId) {
    public static StateRole of(State state) {
        StateSpec spec = state.spec();
        return new StateRole(
                spec.saddr(), spec.id().daddr(), spec.family(), spec.id().protocol(), spec.reqid(), spec.ifId());
    }
}
