package org.xfrmbridge.daemon;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.xfrmbridge.daemon.os.SystemClock;

@Timeout(20)
class OutboundBarrierTest {
    /** Frames that wait, as a number. */
    private final AtomicInteger queued = new AtomicInteger();

    private final AtomicInteger judged = new AtomicInteger();
    private final CountDownLatch received = new CountDownLatch(1);
    private final CountDownLatch goOn = new CountDownLatch(1);
    private final CountDownLatch arrived = new CountDownLatch(1);
    private volatile boolean open = true;

    private boolean await(int timeoutMs) {
        try {
            arrived.await();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        return open;
    }

    /** Takes what waits, then dwells on it. */
    private int turn() {
        int frames = queued.getAndSet(0);
        if (frames > 0) {
            received.countDown();
            try {
                goOn.await();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
            judged.addAndGet(frames);
        }
        return frames;
    }

    private static OutboundBarrier barrier(BooleanSupplier waiting, DatapathLoop outbound) {
        return new OutboundBarrier(
                List.of(new OutboundBarrier.Queue(outbound, waiting, outbound::turns, () -> false)), new SystemClock());
    }

    private Thread start(DatapathLoop outbound) {
        return Thread.ofPlatform().start(outbound.begin(this::await, this::turn));
    }

    @Test
    void shouldWaitForFramesThatWereReceivedButNotJudged() throws Exception {
        DatapathLoop outbound = new DatapathLoop();
        OutboundBarrier settling = barrier(() -> queued.get() > 0, outbound);
        queued.set(3);
        arrived.countDown();
        Thread thread = start(outbound);
        received.await();
        CompletableFuture<Integer> seen = CompletableFuture.supplyAsync(() -> {
            settling.run();
            return judged.get();
        });
        // Nothing waits any more, and still nothing was judged.
        assertEquals(0, queued.get());
        assertEquals(0, judged.get());
        goOn.countDown();
        assertEquals(3, seen.get(10, TimeUnit.SECONDS));
        open = false;
        thread.join();
    }

    @Test
    void shouldWaitForFramesThatAreQueued() throws Exception {
        DatapathLoop outbound = new DatapathLoop();
        OutboundBarrier settling = barrier(() -> queued.get() > 0, outbound);
        queued.set(2);
        goOn.countDown();
        Thread thread = start(outbound);
        CompletableFuture<Integer> seen = CompletableFuture.supplyAsync(() -> {
            settling.run();
            return judged.get();
        });
        arrived.countDown();
        assertEquals(2, seen.get(10, TimeUnit.SECONDS));
        assertTrue(outbound.turns() > 0);
        open = false;
        thread.join();
    }

    /** A client may be served before the thread of the datapath has a core. */
    @Test
    void shouldWaitForAThreadThatHasYetToRun() throws Exception {
        DatapathLoop outbound = new DatapathLoop();
        CountDownLatch looked = new CountDownLatch(1);
        BooleanSupplier waiting = () -> {
            looked.countDown();
            return queued.get() > 0;
        };
        OutboundBarrier settling = barrier(waiting, outbound);
        queued.set(2);
        goOn.countDown();
        arrived.countDown();
        Runnable loop = outbound.begin(this::await, this::turn);
        CompletableFuture<Integer> seen = CompletableFuture.supplyAsync(() -> {
            settling.run();
            return judged.get();
        });
        looked.await();
        Thread thread = Thread.ofPlatform().start(loop);
        assertEquals(2, seen.get(10, TimeUnit.SECONDS));
        open = false;
        thread.join();
    }

    @Test
    void shouldNotWaitBeforeTheDatapathRuns() {
        AtomicInteger looks = new AtomicInteger();
        barrier(() -> looks.incrementAndGet() > 0, new DatapathLoop()).run();
        assertEquals(1, looks.get());
    }

    @Test
    void shouldLookOnceOnAnOccasionAndEachTimeOutsideOfOne() {
        AtomicInteger looks = new AtomicInteger();
        DatapathLoop idle = new DatapathLoop();
        OutboundBarrier settling = barrier(() -> looks.incrementAndGet() < 0, idle);
        settling.run();
        settling.run();
        assertEquals(2, looks.get());
        for (int occasion = 1; occasion <= 2; occasion++) {
            settling.begin();
            settling.run();
            settling.run();
            settling.end();
            assertEquals(2 + occasion, looks.get());
        }
        settling.run();
        assertEquals(5, looks.get());
    }
}
