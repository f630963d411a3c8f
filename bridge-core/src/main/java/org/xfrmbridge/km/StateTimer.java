package org.xfrmbridge.km;

import org.xfrmbridge.time.Timer;
import org.xfrmbridge.xfrm.ReplayState;
import org.xfrmbridge.xfrm.State;

/**
 * What the control thread keeps beside a State: its timers, and what key managers were told last. It is the timer of
 * its lifetime itself: there may be a million. Control thread only.
 */
final class StateTimer extends Timer<Runnable> implements Runnable {
    /** Null unless it waits. */
    Timer<Runnable> replay;

    /** Null if the State asks for none. */
    Timer<Runnable> keepalive;

    private final State state;
    private final StateExpiry expiry;

    /** {@code preplay}: the numbers told last. */
    ReplayState toldReplay;

    /** {@code XFRM_TIME_DEFER}: the time was up and nothing had moved, so the next move is told at once. */
    boolean replayDeferred;

    /** {@code new_mapping} and {@code new_mapping_sport}. */
    long toldMappingNs;

    int toldMappingPort;

    StateTimer(State state, StateExpiry expiry) {
        this.state = state;
        this.expiry = expiry;
        toldReplay = state.replaySnapshot();
    }

    @Override
    protected Runnable subject() {
        return this;
    }

    @Override
    public void run() {
        expiry.look(state);
    }

    static StateTimer of(State state) {
        return (StateTimer) state.timer();
    }
}
