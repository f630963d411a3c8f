package org.xfrmbridge.km;

import org.xfrmbridge.time.Clock;
import org.xfrmbridge.xfrm.Address;
import org.xfrmbridge.xfrm.State;

/**
 * Tells that the peer behind a NAT has moved, {@code km_new_mapping}. The State stays as it is until its key manager
 * updates it. Control thread only.
 */
final class NatMappings {
    private final KeyManagers keyManagers;
    private final Clock clock;

    NatMappings(KeyManagers keyManagers, Clock clock) {
        this.keyManagers = keyManagers;
        this.clock = clock;
    }

    /** With a {@code mappingMaxAgeSeconds} the same port is told only once in that time. */
    void changed(State state, Address newSaddr, int newSport) {
        if (!state.isValid() || !state.isEncapsulatedEsp() || isToldLately(state, newSport)) {
            return;
        }
        StateTimer timer = StateTimer.of(state);
        timer.toldMappingNs = clock.nowNs();
        timer.toldMappingPort = newSport;
        keyManagers.tell(km -> km.mappingChanged(state, newSaddr, newSport));
    }

    private boolean isToldLately(State state, int sport) {
        StateTimer timer = StateTimer.of(state);
        long maxAgeNs = Integer.toUnsignedLong(state.spec().mappingMaxAgeSeconds()) * ControlTimers.NS_PER_SECOND;
        return maxAgeNs != 0 && timer.toldMappingPort == sport && clock.nowNs() - timer.toldMappingNs <= maxAgeNs;
    }
}
