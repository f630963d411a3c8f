package org.xfrmbridge.xfrm;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;

/**
 * Which of several datapath threads of one direction may use a State: its numbers, ciphers and counters are one
 * thread's at a time, and so need no lock. Threads are numbered from 0. Any thread asks.
 */
public final class StateOwner {
    /** What no packet has come to yet. */
    public static final int NOBODY = -1;

    private static final VarHandle THREAD;

    static {
        try {
            THREAD = MethodHandles.lookup().findVarHandle(StateOwner.class, "thread", int.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    private volatile int thread = NOBODY;

    /** The thread it belongs to: the one given, if it was nobody's. */
    public int claim(int wanted) {
        if (thread == NOBODY) {
            THREAD.compareAndSet(this, NOBODY, wanted);
        }
        return thread;
    }

    /** The thread it belongs to, or {@link #NOBODY}. */
    public int thread() {
        return thread;
    }

    /** The owner alone calls this, while it does not use the State: from now on it is another's. */
    public void pass(int to) {
        thread = to;
    }
}
