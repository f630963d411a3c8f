package org.xfrmbridge.daemon;

import static org.junit.jupiter.api.Assertions.assertFalse;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(30)
class DatapathLoopTest {
    /** More comes than it can take: there is a frame in each turn. */
    @Test
    void shouldEndInAFlood() throws InterruptedException {
        AtomicBoolean closed = new AtomicBoolean();
        CountDownLatch first = new CountDownLatch(1);
        DatapathLoop loop = new DatapathLoop();
        Thread thread = Thread.ofPlatform().daemon().start(loop.begin(timeoutMs -> !closed.get(), () -> {
            first.countDown();
            return 1;
        }));
        first.await();
        loop.end();
        closed.set(true);
        thread.join(10_000);
        assertFalse(thread.isAlive());
    }
}
