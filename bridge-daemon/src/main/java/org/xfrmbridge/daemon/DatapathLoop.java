package org.xfrmbridge.daemon;

import java.util.function.IntSupplier;
import org.xfrmbridge.io.PacketPort;

/** The loop of one direction: waits at its port and lets the datapath turn over whole batches. One thread runs it. */
final class DatapathLoop {
    private static final int IDLE_MS = 1000;

    private final PacketPort port;
    private volatile boolean running;
    private volatile boolean working;
    private volatile long turns;
    private volatile boolean ending;

    /** @param port where frames come from */
    DatapathLoop(PacketPort port) {
        this.port = port;
    }

    /**
     * Runs from here on, though the thread that is about to be started may get a core much later: frames that wait for
     * it have been sent under what policies there are now.
     *
     * @param turn handles one batch, and what faults it meets; returns how many frames that was
     * @return what the thread does, until the port is closed
     */
    Runnable begin(IntSupplier turn) {
        running = true;
        return () -> {
            while (port.await(IDLE_MS)) {
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
