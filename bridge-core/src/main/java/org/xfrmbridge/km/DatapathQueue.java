package org.xfrmbridge.km;

import java.util.Queue;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * What datapath threads tell the control thread. Never blocks either. Bounded: a flood that the control thread does not
 * keep up with is cut off, which loses nothing for good, as the datapath tells again with the next packet.
 */
final class DatapathQueue {
    static final int CAPACITY = 8192;

    /** Handled at once: clients wait meanwhile. */
    static final int TURN = 256;

    private final Queue<Runnable> events = new ConcurrentLinkedQueue<>();
    private final AtomicInteger waiting = new AtomicInteger();
    private final AtomicBoolean signalled = new AtomicBoolean();
    private final Set<Object> pending = ConcurrentHashMap.newKeySet();
    private final Runnable wakeup;

    /**
     * @param wakeup called, once until the next {@link #drain}, when there is something: makes the control thread call
     *     that soon
     */
    DatapathQueue(Runnable wakeup) {
        this.wakeup = wakeup;
    }

    /** Any thread. Returns whether there was room. */
    boolean tell(Runnable event) {
        if (waiting.incrementAndGet() > CAPACITY) {
            waiting.decrementAndGet();
            return false;
        }
        boolean added = false;
        try {
            added = events.add(event);
        } finally {
            if (!added) {
                waiting.decrementAndGet();
            }
        }
        signal();
        return true;
    }

    /**
     * Any thread: once per subject, however often it is told before the control thread has looked. What it looks at is
     * read after the subject may be told anew, so nothing goes unseen.
     */
    void tellOnce(Object subject, Runnable event) {
        if (!pending.add(subject)) {
            return;
        }
        boolean told = false;
        try {
            told = tell(() -> {
                pending.remove(subject);
                event.run();
            });
        } finally {
            // Out of memory, maybe: told again with the next packet, not never.
            if (!told) {
                pending.remove(subject);
            }
        }
    }

    /** How much waits. Any thread. */
    int waiting() {
        return waiting.get();
    }

    /**
     * Control thread: handles what is there, up to a limit after which it wakes itself, and returns how much that was.
     */
    int drain() {
        // Before the first look: who adds behind the last one signals again.
        signalled.set(false);
        int handled = 0;
        boolean emptied = false;
        try {
            while (handled < TURN && !emptied) {
                Runnable event = events.poll();
                emptied = event == null;
                if (!emptied) {
                    waiting.decrementAndGet();
                    event.run();
                    handled++;
                }
            }
        } finally {
            // After a fault, too, which costs one event.
            if (!emptied) {
                signal();
            }
        }
        return handled;
    }

    private void signal() {
        if (!signalled.getAndSet(true)) {
            wakeup.run();
        }
    }
}
