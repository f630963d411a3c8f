package org.xfrmbridge.km;

import java.util.function.Predicate;
import org.xfrmbridge.time.Clock;
import org.xfrmbridge.time.Timer;
import org.xfrmbridge.xfrm.State;

/**
 * Keeps the mappings of NATs alive for States that ask for it with XFRMA_NAT_KEEPALIVE_INTERVAL:
 * {@code xfrm_nat_keepalive.c}. One is due when a State has sent nothing for its interval, and at once for one that
 * never sent. Control thread only.
 */
final class NatKeepalives {
    private static final long RETRY_SECONDS = 1;

    private final ControlTimers timers;
    private final Clock clock;
    private final Predicate<State> sender;

    /** @param sender sends one; false if there is no way to the peer at the moment */
    NatKeepalives(ControlTimers timers, Clock clock, Predicate<State> sender) {
        this.timers = timers;
        this.clock = clock;
        this.sender = sender;
    }

    /** One that asks for it has come. */
    void start(State state) {
        if (state.isValid()) {
            Timer<Runnable> timer = Timer.of(() -> look(state));
            StateTimer.of(state).keepalive = timer;
            timers.set(timer, 0);
        }
    }

    void stop(State state) {
        Timer<Runnable> timer = StateTimer.of(state).keepalive;
        if (timer != null) {
            timers.cancel(timer);
        }
    }

    private void look(State state) {
        if (!state.isValid()) {
            return;
        }
        long interval = Integer.toUnsignedLong(state.spec().natKeepaliveSeconds());
        long idleSeconds = Math.max(0, clock.epochSeconds() - state.usage().lastUsedSeconds());
        long nextSeconds = interval - idleSeconds;
        if (idleSeconds >= interval) {
            // Set before: a fault in sending costs this one alone.
            timers.setSeconds(StateTimer.of(state).keepalive, RETRY_SECONDS);
            nextSeconds = sender.test(state) ? interval : RETRY_SECONDS;
        }
        timers.setSeconds(StateTimer.of(state).keepalive, nextSeconds);
    }
}
