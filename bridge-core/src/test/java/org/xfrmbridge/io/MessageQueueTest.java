package org.xfrmbridge.io;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import org.junit.jupiter.api.Test;

class MessageQueueTest {
    private static final int EVENT_BYTES = 100;

    /** A socket whose reader reads when told to; a datagram costs twice its size. */
    private static final class Socket implements MessageSink {
        private final ArrayDeque<byte[]> unread = new ArrayDeque<>();
        private int capacityBytes = Integer.MAX_VALUE;
        private int asked;

        @Override
        public boolean trySend(ByteBuffer datagram) {
            if (bytes() >= capacityBytes) {
                return false;
            }
            byte[] copy = new byte[datagram.remaining()];
            datagram.get(copy);
            unread.add(copy);
            return true;
        }

        @Override
        public int unreadBytes() {
            asked++;
            return bytes();
        }

        private int bytes() {
            return unread.stream().mapToInt(datagram -> 2 * datagram.length).sum();
        }

        private byte[] read() {
            return unread.remove();
        }
    }

    private final Socket socket = new Socket();
    private final MessageQueue queue = new MessageQueue(socket);

    private void events(int count) {
        for (int i = 0; i < count; i++) {
            queue.sendEvent(new byte[EVENT_BYTES]);
        }
    }

    @Test
    void shouldLoseEventsWhenMoreIsUnreadThanTheClientsBufferHolds() {
        queue.setBuffer(10 * 2 * EVENT_BYTES);

        events(1000);

        // As a kernel: the one that goes over is the last, and the notice is behind it.
        assertEquals(11 + 1, socket.unread.size());
        assertArrayEquals(ControlFrame.overrun().toBytes(), socket.unread.getLast());
        assertEquals(0, queue.waitingBytes());
    }

    @Test
    void shouldLoseEverythingUntilTheClientHasReadAll() {
        queue.setBuffer(10 * 2 * EVENT_BYTES);
        events(1000);
        for (int i = 0; i < 11; i++) {
            socket.read();
            events(1);
        }
        assertEquals(1, socket.unread.size());

        assertEquals(ControlFrame.overrun(), ControlFrame.read(ByteBuffer.wrap(socket.read())));
        events(3);

        assertEquals(3, socket.unread.size());
        assertTrue(queue.isEmpty());
    }

    @Test
    void shouldHoldWhatALargerBufferHolds() {
        queue.setBuffer(100 * 2 * EVENT_BYTES);
        events(1000);
        assertEquals(101 + 1, socket.unread.size());
    }

    @Test
    void shouldGrantNoMoreThanItHolds() {
        queue.setBuffer(Integer.MAX_VALUE);
        for (int i = 0; i < 100; i++) {
            queue.sendEvent(new byte[1 << 18]);
        }
        assertEquals(31 + 1, socket.unread.size());
    }

    @Test
    void shouldLoseQuietlyAndGoOnAtOnceWhenLossesAreHidden() {
        queue.setBuffer(10 * 2 * EVENT_BYTES);
        queue.hideLosses();
        events(1000);
        assertEquals(11, socket.unread.size());

        socket.read();
        events(5);

        assertEquals(11, socket.unread.size());
    }

    @Test
    void shouldLoseNoReplyWhenEventsAreLost() {
        queue.setBuffer(10 * 2 * EVENT_BYTES);
        events(1000);
        for (int i = 0; i < 50; i++) {
            queue.sendReply(new byte[] {1, 2, 3, 4});
        }
        assertEquals(12 + 50, socket.unread.size());
    }

    @Test
    void shouldTellOfALossWhenTheSocketIsFullOfReplies() {
        socket.capacityBytes = 20 * EVENT_BYTES;
        for (int i = 0; i < 10; i++) {
            queue.sendReply(new byte[EVENT_BYTES]);
        }
        queue.setBuffer(10);
        events(1);
        assertFalse(queue.isEmpty());

        socket.unread.clear();
        events(1);
        assertTrue(socket.unread.isEmpty(), "nothing may overtake the notice");
        queue.flush();

        assertEquals(ControlFrame.overrun(), ControlFrame.read(ByteBuffer.wrap(socket.read())));
    }

    @Test
    void shouldBoundWhatWaitsWhenTheSocketTakesNothing() {
        socket.capacityBytes = 0;
        queue.setBuffer(10 * EVENT_BYTES);

        events(1000);

        assertEquals(11 * EVENT_BYTES, queue.waitingBytes());
    }

    @Test
    void shouldNotAskTheSocketAgainAndAgainWhenTheClientReads() {
        for (int i = 0; i < 100_000; i++) {
            events(1);
            socket.read();
        }
        assertTrue(socket.asked < 1000, socket.asked + " times");
    }
}
