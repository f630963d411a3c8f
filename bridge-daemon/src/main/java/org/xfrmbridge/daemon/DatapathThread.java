package org.xfrmbridge.daemon;

import java.util.function.IntSupplier;
import org.xfrmbridge.io.PacketPort;

/** One direction: waits at its port and lets the datapath turn over whole batches. */
final class DatapathThread extends Thread {
    private static final int IDLE_MS = 1000;

    private final PacketPort port;
    private final IntSupplier turn;
    private volatile boolean working;
    private volatile long turns;
    private volatile boolean ending;

    /** @param turn handles one batch, and what faults it meets; returns how many frames that was */
    DatapathThread(String name, PacketPort port, IntSupplier turn) {
        super(name);
        this.port = port;
        this.turn = turn;
    }

    @Override
    public void run() {
        while (port.await(IDLE_MS)) {
            work();
        }
    }

    private void work() {
        int frames;
        do {
            frames = turn();
        } while (frames > 0 && !ending);
    }

    /** Any thread: ends after this turn, however many frames wait. An idle one ends when its port is closed. */
    void end() {
        ending = true;
    }

    private int turn() {
        working = true;
        try {
            return turn.getAsInt();
        } finally {
            turns = turns + 1;
            working = false;
        }
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
