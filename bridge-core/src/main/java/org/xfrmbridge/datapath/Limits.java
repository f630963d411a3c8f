package org.xfrmbridge.datapath;

import org.xfrmbridge.km.DatapathEvents;
import org.xfrmbridge.xfrm.Lifetime;
import org.xfrmbridge.xfrm.State;
import org.xfrmbridge.xfrm.Usage;

/**
 * Lifetimes as the kernel's {@code xfrm_state_check_expire} applies them: before a packet is counted, so that the one
 * which crosses a limit passes.
 */
final class Limits {
    private Limits() {}

    /** Whether a hard limit was reached. Tells the control side of that, and of soft limits. */
    static boolean exceeded(State state, DatapathEvents events) {
        Lifetime limits = state.spec().lifetime();
        Usage usage = state.usage();
        boolean hard = limits.isHardReached(usage);
        if (hard || !state.isDying() && limits.isSoftReached(usage)) {
            events.limitReached(state);
        }
        return hard;
    }
}
