package org.xfrmbridge.km;

import org.xfrmbridge.time.Timer;
import org.xfrmbridge.xfrm.ReplayState;
import org.xfrmbridge.xfrm.State;

/**
 * Tells listeners how far sequence numbers have come, so that a standby can take over: {@code xfrm_replay_notify} and
 * {@code xfrm_replay_timer_handler}. A notice is due when numbers have moved by the State's
 * {@code replayMaxDifference}, or at all within its {@code replayMaxAge}. Control thread only.
 */
final class ReplayNotices {
    /** {@code XFRM_AE_CR}: the difference is the cause. */
    static final int CAUSE_DIFFERENCE = 16;

    /** {@code XFRM_AE_CE}: the time is. */
    static final int CAUSE_TIME = 32;

    private static final long NS_PER_AGE_UNIT = ControlTimers.NS_PER_SECOND / 10;

    private final KeyManagers keyManagers;
    private final ControlTimers timers;

    /** The timer of a State's {@code replayMaxAge}. */
    private final class Age extends Timer<Runnable> implements Runnable {
        private final State state;

        Age(State state) {
            this.state = state;
        }

        @Override
        protected Runnable subject() {
            return this;
        }

        @Override
        public void run() {
            timeIsUp(state);
        }
    }

    ReplayNotices(KeyManagers keyManagers, ControlTimers timers) {
        this.keyManagers = keyManagers;
        this.timers = timers;
    }

    void start(State state) {
        arm(state);
        mark(state);
    }

    void stop(State state) {
        StateTimer timer = StateTimer.of(state);
        if (timer.replay != null) {
            timers.cancel(timer.replay);
            timer.replay = null;
        }
    }

    /** A client has set numbers or thresholds, and knows them. */
    void setByClient(State state) {
        StateTimer.of(state).toldReplay = state.replaySnapshot();
        mark(state);
    }

    /** The datapath says that the numbers have come far. */
    void advanced(State state) {
        if (!state.isValid() || !keyManagers.hearReplay()) {
            return;
        }
        StateTimer timer = StateTimer.of(state);
        ReplayState now = state.replaySnapshot();
        if (isFar(state, timer.toldReplay, now)) {
            tell(state, now, CAUSE_DIFFERENCE);
        } else if (timer.replayDeferred) {
            tellIfMoved(state, now);
        }
    }

    private void timeIsUp(State state) {
        StateTimer.of(state).replay = null;
        if (!state.isValid()) {
            return;
        }
        if (keyManagers.hearReplay()) {
            tellIfMoved(state, state.replaySnapshot());
        } else {
            defer(state);
        }
    }

    private void tellIfMoved(State state, ReplayState now) {
        if (now.equals(StateTimer.of(state).toldReplay)) {
            defer(state);
        } else {
            tell(state, now, CAUSE_TIME);
        }
    }

    private void defer(State state) {
        StateTimer.of(state).replayDeferred = true;
        mark(state);
    }

    private void tell(State state, ReplayState now, int cause) {
        StateTimer timer = StateTimer.of(state);
        timer.toldReplay = now;
        if (state.spec().replayMaxAge() != 0) {
            timer.replayDeferred = false;
        }
        arm(state);
        mark(state);
        keyManagers.tell(km -> km.replayChanged(state, cause, Origin.KERNEL));
    }

    private void arm(State state) {
        long age = Integer.toUnsignedLong(state.spec().replayMaxAge());
        if (age != 0) {
            StateTimer timer = StateTimer.of(state);
            if (timer.replay == null) {
                timer.replay = new Age(state);
            }
            timers.set(timer.replay, age * NS_PER_AGE_UNIT);
        }
    }

    /** Every move is worth a look when no difference is set, or when a time has passed without one. */
    private static void mark(State state) {
        StateTimer timer = StateTimer.of(state);
        int difference = state.spec().replayMaxDifference();
        // Unsigned, and never that far from what was told.
        int step = timer.replayDeferred ? 1 : difference < 0 ? Integer.MAX_VALUE : Math.max(1, difference);
        state.markReplay(timer.toldReplay, step);
    }

    private static boolean isFar(State state, ReplayState told, ReplayState now) {
        long step = Integer.toUnsignedLong(state.spec().replayMaxDifference());
        return step == 0
                || distance(told.oseqHigh(), told.oseq(), now.oseqHigh(), now.oseq()) >= step
                || distance(told.seqHigh(), told.seq(), now.seqHigh(), now.seq()) >= step;
    }

    private static long distance(int fromHigh, int fromLow, int toHigh, int toLow) {
        long from = (long) fromHigh << 32 | Integer.toUnsignedLong(fromLow);
        long to = (long) toHigh << 32 | Integer.toUnsignedLong(toLow);
        return to - from;
    }
}
