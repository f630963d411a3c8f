package org.xfrmbridge.km;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

class DatapathQueueTest {
    private int wakeups;
    private int handled;
    private final DatapathQueue queue = new DatapathQueue(() -> wakeups++);

    private void handle() {
        handled++;
    }

    @Test
    void shouldWakeOnceUntilDrained() {
        queue.tell(this::handle);
        queue.tell(this::handle);
        assertEquals(1, wakeups);

        assertEquals(2, queue.drain());
        queue.tell(this::handle);

        assertEquals(2, wakeups);
    }

    @Test
    void shouldCutAFloodOffAndTakeMoreOnceDrained() {
        for (int i = 0; i < DatapathQueue.CAPACITY; i++) {
            assertTrue(queue.tell(this::handle));
        }
        assertFalse(queue.tell(this::handle));

        assertEquals(DatapathQueue.CAPACITY, drainAll());
        assertEquals(0, queue.drain());
        assertTrue(queue.tell(this::handle));
    }

    /** In turns, each of which is bounded. */
    private int drainAll() {
        int all = 0;
        for (int handledNow = queue.drain(); handledNow > 0; handledNow = queue.drain()) {
            assertTrue(handledNow <= DatapathQueue.TURN);
            all += handledNow;
        }
        return all;
    }

    @Test
    void shouldWakeItselfWhenItStopsAtTheLimit() {
        for (int i = 0; i < DatapathQueue.TURN; i++) {
            queue.tell(() -> queue.tell(this::handle));
        }
        wakeups = 0;

        assertEquals(DatapathQueue.TURN, queue.drain());
        assertEquals(1, wakeups);
        assertEquals(DatapathQueue.TURN, queue.drain());
        assertEquals(DatapathQueue.TURN, handled);
    }

    @Test
    void shouldHandleASubjectOnceUntilItWasLookedAt() {
        queue.tellOnce("a", this::handle);
        queue.tellOnce("a", this::handle);
        queue.tellOnce("b", this::handle);
        assertEquals(2, queue.drain());

        queue.tellOnce("a", this::handle);
        assertEquals(1, queue.drain());
    }

    @Test
    void shouldTakeASubjectAgainThatTheFloodCutOff() {
        for (int i = 0; i < DatapathQueue.CAPACITY; i++) {
            queue.tell(() -> {});
        }
        queue.tellOnce("a", this::handle);
        drainAll();
        assertEquals(0, handled);

        queue.tellOnce("a", this::handle);
        drainAll();

        assertEquals(1, handled);
    }

    /** The consumer sleeps whenever it was not woken, so a lost wakeup ends in the time limit. */
    @Test
    @Timeout(30)
    void shouldLoseNoWakeupWhenThreadsTellWhileItDrains() throws InterruptedException {
        Semaphore wakeup = new Semaphore(0);
        DatapathQueue shared = new DatapathQueue(wakeup::release);
        AtomicLong told = new AtomicLong();
        int threads = 3;
        int each = 50_000;
        List<Thread> tellers = new ArrayList<>();
        for (int t = 0; t < threads; t++) {
            tellers.add(Thread.ofPlatform().start(() -> {
                for (int i = 0; i < each; i++) {
                    while (!shared.tell(told::incrementAndGet)) {
                        Thread.onSpinWait();
                    }
                }
            }));
        }

        while (told.get() < (long) threads * each) {
            wakeup.acquire();
            shared.drain();
        }

        for (Thread teller : tellers) {
            teller.join();
        }
        assertEquals(0, shared.drain());
    }

    @Test
    void shouldWakeTheControlThreadForTheRestWhenAnEventShowsAFault() {
        queue.tell(() -> {
            throw new IllegalStateException("a fault");
        });
        queue.tell(this::handle);
        int before = wakeups;
        assertThrows(IllegalStateException.class, queue::drain);
        assertEquals(before + 1, wakeups);
        queue.drain();
        assertEquals(1, handled);
    }
}
