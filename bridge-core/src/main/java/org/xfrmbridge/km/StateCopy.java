package org.xfrmbridge.km;

import org.xfrmbridge.xfrm.Algorithm;
import org.xfrmbridge.xfrm.State;
import org.xfrmbridge.xfrm.StateSpec;
import org.xfrmbridge.xfrm.StateSpec.LifetimeCurrent;
import org.xfrmbridge.xfrm.StateSpecBuilder;
import org.xfrmbridge.xfrm.Usage;

/** A State's twin in the making, {@code xfrm_state_clone_and_setup}. */
final class StateCopy {
    private StateCopy() {}

    /**
     * All that a State has, counters and sequence numbers included. The keys are copies, for the old State's are
     * cleared when it goes.
     */
    static StateSpecBuilder of(State state) {
        StateSpec old = state.spec();
        StateSpecBuilder spec = old.toBuilder()
                .aead(copy(old.aead()))
                .auth(copy(old.auth()))
                .authTruncated(old.auth() != null)
                .cipher(copy(old.cipher()))
                .replay(state.replaySnapshot());
        Usage usage = state.usage();
        spec.usage(new LifetimeCurrent(usage.bytes(), usage.packets(), usage.addSeconds(), usage.useSeconds()));
        return spec;
    }

    private static Algorithm copy(Algorithm algorithm) {
        return algorithm == null
                ? null
                : new Algorithm(
                        algorithm.name(),
                        algorithm.keyBits(),
                        algorithm.icvBits(),
                        algorithm.key().clone());
    }
}
