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

    /**
     * Whether a hard limit was reached. Tells the control side of that, of soft limits and of a first use that starts a
     * clock.
     */
    static boolean exceeded(State state, DatapathEvents events) {
        Lifetime limits = state.spec().lifetime();
        Usage usage = state.usage();
        if (usage.useSeconds() == 0 && (limits.softUseSeconds() | limits.hardUseSeconds()) != 0) {
            events.firstUse(state);
        }
        if (reached(usage.bytes(), limits.hardBytes()) || reached(usage.packets(), limits.hardPackets())) {
            events.limitReached(state);
            return true;
        }
        if (!state.isDying()
                && (reached(usage.bytes(), limits.softBytes()) || reached(usage.packets(), limits.softPackets()))) {
            events.limitReached(state);
        }
        return false;
    }

    private static boolean reached(long used, long limit) {
        return limit != Lifetime.INFINITE && Long.compareUnsigned(used, limit) >= 0;
    }
}
