package org.xfrmbridge.datapath;

import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.function.Consumer;
import org.xfrmbridge.xfrm.State;

/**
 * States that have gone since a datapath thread looked last, for it to wipe what it made of their keys. It looks
 * between two batches, so that no packet on its way loses its cipher. Any thread adds, the datapath thread takes.
 */
final class RemovedStates {
    private final Queue<State> states = new ConcurrentLinkedQueue<>();

    void add(State state) {
        states.add(state);
    }

    void take(Consumer<State> wipe) {
        for (State state = states.poll(); state != null; state = states.poll()) {
            wipe.accept(state);
        }
    }
}
