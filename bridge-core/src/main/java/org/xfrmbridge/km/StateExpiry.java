package org.xfrmbridge.km;

import org.xfrmbridge.time.Clock;
import org.xfrmbridge.xfrm.Lifetime;
import org.xfrmbridge.xfrm.State;
import org.xfrmbridge.xfrm.State.Phase;
import org.xfrmbridge.xfrm.Usage;

/**
 * Ends States in time: {@code xfrm_timer_handler} for limits in seconds, {@code xfrm_state_check_expire} for bytes and
 * packets. A soft limit is told once and makes a State dying; at a hard one it goes, which is told as an expiry and not
 * as a deletion. Control thread only.
 *
 * <p>A use that nobody reported needs no timer of its own: until then the limit counts from now, and each time it is up
 * the rest since the first use is waited for.
 */
final class StateExpiry {
    /** When a new or updated State is first looked at. */
    private static final long FIRST_LOOK_SECONDS = 1;

    private final StateLifecycle states;
    private final KeyManagers keyManagers;
    private final ControlTimers timers;
    private final Clock clock;

    StateExpiry(StateLifecycle states, KeyManagers keyManagers, ControlTimers timers, Clock clock) {
        this.states = states;
        this.keyManagers = keyManagers;
        this.timers = timers;
        this.clock = clock;
    }

    void start(State state) {
        boolean larval = state.phase() == Phase.ACQUIRING;
        timers.setSeconds(StateTimer.of(state), larval ? state.spec().lifetime().hardAddSeconds() : FIRST_LOOK_SECONDS);
    }

    void stop(State state) {
        timers.cancel(StateTimer.of(state));
    }

    /** A live State has got other limits: it is no longer dying, unless of these. */
    void restart(State state) {
        state.setDying(false);
        start(state);
        if (state.usage().useSeconds() != 0) {
            checkLimits(state);
        }
    }

    /**
     * One over a hard limit goes now: in a kernel its timer runs before anything else is told of the update that set
     * the limit.
     */
    void endSpent(State state) {
        if (state.phase() == Phase.EXPIRED) {
            expire(state);
        }
    }

    /**
     * Bytes and packets. A State over a hard limit carries nothing from now on, and goes with the timers of this turn.
     */
    void checkLimits(State state) {
        if (!state.isValid()) {
            return;
        }
        if (state.isSpent()) {
            state.enter(Phase.EXPIRED);
            timers.set(StateTimer.of(state), 0);
        } else if (state.isLimitReached()) {
            soften(state);
        }
    }

    /** The time is up. */
    void look(State state) {
        Lifetime limits = state.spec().lifetime();
        long hardSeconds = remaining(state, limits.hardAddSeconds(), limits.hardUseSeconds());
        if (state.phase() == Phase.EXPIRED || hardSeconds <= 0) {
            expire(state);
            return;
        }
        long nextSeconds = hardSeconds;
        if (!state.isDying()) {
            long softSeconds = remaining(state, limits.softAddSeconds(), limits.softUseSeconds());
            if (softSeconds <= 0) {
                soften(state);
            } else {
                nextSeconds = Math.min(hardSeconds, softSeconds);
            }
        }
        if (nextSeconds != LifetimeDeadlines.NEVER) {
            timers.setSeconds(StateTimer.of(state), nextSeconds);
        }
    }

    private long remaining(State state, long addLimit, long useLimit) {
        long now = clock.epochSeconds();
        Usage usage = state.usage();
        long used = usage.useSeconds() == 0 ? now : usage.useSeconds();
        return Math.min(
                LifetimeDeadlines.remaining(addLimit, usage.addSeconds(), now),
                LifetimeDeadlines.remaining(useLimit, used, now));
    }

    private void soften(State state) {
        state.setDying(true);
        keyManagers.stateExpired(state, false, 0);
    }

    private void expire(State state) {
        states.retire(state, RemovedStates.End.EXPIRED, () -> keyManagers.stateExpired(state, true, 0));
    }
}
