package org.xfrmbridge.daemon;

import java.util.function.IntPredicate;
import java.util.function.IntSupplier;

/** The loop of one direction: waits for frames and lets the datapath turn over whole batches. One thread runs it. */
final class DatapathLoop {
    private static final int IDLE_MS = 1000;

    private volatile boolean running;
    private volatile boolean working;
    private volatile long turns;
    private volatile boolean ending;

    /**
     * Runs from here on, though the thread that is about to be started may get a core much later: frames that wait for
     * it have been sent under what policies there are now.
     *
     * @param await waits so many milliseconds at most until there is something to do; false when nothing more will come
     * @param turn handles one batch, and what faults it meets; returns how many frames that was
     * @return what the thread does, until then
     */
    Runnable begin(IntPredicate await, IntSupplier turn) {
        running = true;
        return () -> {
            while (await.test(IDLE_MS)) {
                work(turn);
            }
        };
    }

    private void work(IntSupplier turn) {
        int frames;
        do {
            frames = turn(turn);
        } while (frames > 0 && !ending);
    }

    /** Any thread: ends after this turn, however many frames wait. An idle one ends when its port is closed. */
    void end() {
        ending = true;
    }

    private int turn(IntSupplier turn) {
        working = true;
        try {
            return turn.getAsInt();
        } finally {
            turns = turns + 1;
            working = false;
        }
    }

    /** Whether it has begun, so that frames which wait will be judged. Any thread. */
    boolean isRunning() {
        return running;
    }

    /** Whether frames may be on their way between the ports. Any thread. */
    boolean isWorking() {
        return working;
    }

    /** How many turns have ended. Any thread. */
    long turns() {
        return turns;
    }
}
