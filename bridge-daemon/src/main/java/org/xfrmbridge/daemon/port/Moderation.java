package org.xfrmbridge.daemon.port;

import org.xfrmbridge.daemon.os.ShortSleep;

/**
 * Interrupt moderation, as network cards have it. While many messages come, who receives them is not woken for each: he
 * looks once in a while, and finds more of them together. A single one is never kept waiting. One thread.
 */
final class Moderation {
    /**
     * A fraction of what a ping takes from host to host, and at full speed as many messages as a batch has room for.
     */
    private static final int PAUSE_NS = 50_000;

    /** So many together begin it, less than so many after a pause end it. */
    private static final int MANY = 8;

    private static final int FEW = 4;

    private final Runnable sleep;
    private boolean isOn;

    Moderation() {
        this(new ShortSleep(PAUSE_NS)::sleep);
    }

    Moderation(Runnable sleep) {
        this.sleep = sleep;
    }

    /** Before a look where nothing was left the last time. */
    void pause() {
        if (isOn) {
            sleep.run();
        }
    }

    /** After a look. */
    void note(int messages) {
        isOn = messages >= (isOn ? FEW : MANY);
    }
}
