package org.xfrmbridge.daemon;

import static org.junit.jupiter.api.Assertions.assertFalse;

import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.xfrmbridge.io.PacketBatch;
import org.xfrmbridge.io.PacketPool;
import org.xfrmbridge.io.PacketPort;

@Timeout(30)
class DatapathLoopTest {
    private static final class Port implements PacketPort {
        private volatile boolean closed;

        @Override
        public void receive(PacketPool pool, PacketBatch into) {}

        @Override
        public void send(PacketBatch batch) {}

        @Override
        public boolean await(int timeoutMs) {
            return !closed;
        }

        @Override
        public void wake() {}

        @Override
        public void close() {
            closed = true;
        }
    }

    /** More comes than it can take: there is a frame in each turn. */
    @Test
    void shouldEndInAFlood() throws InterruptedException {
        Port port = new Port();
        CountDownLatch first = new CountDownLatch(1);
        DatapathLoop loop = new DatapathLoop();
        Thread thread = Thread.ofPlatform().daemon().start(loop.begin(port::await, () -> {
            first.countDown();
            return 1;
        }));
        first.await();
        loop.end();
        port.close();
        thread.join(10_000);
        assertFalse(thread.isAlive());
    }
}
