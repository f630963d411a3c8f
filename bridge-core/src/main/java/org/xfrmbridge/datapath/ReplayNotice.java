package org.xfrmbridge.datapath;

import org.xfrmbridge.km.DatapathEvents;
import org.xfrmbridge.xfrm.State;

/** Tells the control side when a sequence number has moved as far as a client asked to hear of; {@code xfrm_replay_notify}. */
final class ReplayNotice {
    private ReplayNotice() {}

    static void noteSent(State state, long sequence, DatapathEvents events) {
        note(state, sequence, events);
    }

    static void noteReceived(State state, long sequence, DatapathEvents events) {
        note(state, sequence, events);
    }

    /** The control side knows what it told last; here only every n-th number is worth asking it. */
    private static void note(State state, long sequence, DatapathEvents events) {
        int every = state.spec().replayMaxDifference();
        if (every > 0 && Long.remainderUnsigned(sequence, every) == 0) {
            events.replayAdvanced(state);
        }
    }
}
