package org.xfrmbridge.datapath;

import java.util.List;
import org.xfrmbridge.xfrm.State;
import org.xfrmbridge.xfrm.StateOwner;

/**
 * To which outbound thread the States of one bundle belong, where there are several threads. A State that is used alone
 * belongs to the thread that needs it first. Those that are used together all belong to the first thread: one that
 * another has is passed on by that one, to which packets go for it until then.
 */
final class BundleOwners {
    static final int FIRST = 0;

    private final StateOwner[] owners;

    private BundleOwners(StateOwner[] owners) {
        this.owners = owners;
    }

    static BundleOwners of(List<State> states) {
        StateOwner[] owners = new StateOwner[states.size()];
        for (int i = 0; i < owners.length; i++) {
            owners[i] = states.get(i).outboundOwner();
        }
        return new BundleOwners(owners);
    }

    /**
     * Sees to it that all belong to somebody, and that what is not to stay with the caller is passed on.
     *
     * @param caller its thread
     * @param preferred whose a State is to become that is nobody's
     */
    void claim(Steering caller, int preferred) {
        if (owners.length == 1) {
            owners[0].claim(preferred);
            return;
        }
        for (StateOwner owner : owners) {
            if (owner.claim(FIRST) == caller.thread() && caller.thread() != FIRST) {
                caller.passWhenSent(owner);
            }
        }
    }

    /** The thread that packets are to go to now. */
    int thread() {
        if (owners.length == 1) {
            return owners[0].thread();
        }
        for (StateOwner owner : owners) {
            int thread = owner.thread();
            if (thread != FIRST) {
                return thread;
            }
        }
        return FIRST;
    }
}
