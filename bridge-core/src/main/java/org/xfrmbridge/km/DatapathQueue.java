package org.xfrmbridge.km;

import java.util.Queue;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * What datapath threads tell the control thread. Never blocks either. Bounded: a flood that the control thread does not keep up with is
 * cut off, which loses nothing for good, as the datapath tells again with the next packet.
 */
final class DatapathQueue {
    static final int CAPACITY = 8192;

    private final Queue<Runnable> events = new ConcurrentLinkedQueue<>();
    private final AtomicInteger waiting = new AtomicInteger();
    private final Set<Object> pending = ConcurrentHashMap.newKeySet();
    private final Runnable wakeup;

    /** @param wakeup called on a datapath thread when the queue was empty: makes the control thread call {@link #drain} soon */
    DatapathQueue(Runnable wakeup) {
        this.wakeup = wakeup;
    }

    /** Any thread. */
    void tell(Runnable event) {
        int before = waiting.getAndIncrement();
        if (before >= CAPACITY) {
            waiting.decrementAndGet();
            return;
        }
        events.add(event);
        if (before == 0) {
            wakeup.run();
        }
    }

    /**
     * Any thread: once per subject, however often it is told before the control thread has looked. What it looks at is read after the
     * subject may be told anew, so nothing goes unseen.
     */
    void tellOnce(Object subject, Runnable event) {
        if (pending.add(subject)) {
            tell(() -> {
                pending.remove(subject);
                event.run();
            });
        }
    }

    /** Control thread: handles what is there and returns how much that was. */
    int drain() {
        int handled = 0;
        for (Runnable event = events.poll(); event != null; event = events.poll()) {
            waiting.decrementAndGet();
            event.run();
            handled++;
            if (handled == CAPACITY) {
                break;
            }
        }
        return handled;
    }
}
