package org.xfrmbridge.km;

import org.xfrmbridge.time.Timer;
import org.xfrmbridge.xfrm.ReplayState;
import org.xfrmbridge.xfrm.State;

/** What the control thread keeps beside a State: its timers, and what key managers were told last. Control thread only. */
final class StateWatch {
    final Timer<Runnable> lifetime;
    final Timer<Runnable> replay;

    /** {@code preplay}: the numbers told last. */
    ReplayState toldReplay;

    /** {@code XFRM_TIME_DEFER}: the time was up and nothing had moved, so the next move is told at once. */
    boolean replayDeferred;

    /** {@code new_mapping} and {@code new_mapping_sport}. */
    long toldMappingNs;

    int toldMappingPort;

    StateWatch(Timer<Runnable> lifetime, Timer<Runnable> replay, ReplayState toldReplay) {
        this.lifetime = lifetime;
        this.replay = replay;
        this.toldReplay = toldReplay;
    }

    static StateWatch of(State state) {
        return (StateWatch) state.watch;
    }
}
