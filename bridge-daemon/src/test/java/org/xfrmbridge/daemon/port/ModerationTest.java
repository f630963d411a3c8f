package org.xfrmbridge.daemon.port;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

class ModerationTest {
    private final AtomicInteger sleeps = new AtomicInteger();
    private final Moderation moderation = new Moderation(sleeps::incrementAndGet);

    private int sleepsAfter(int... messages) {
        sleeps.set(0);
        for (int found : messages) {
            moderation.note(found);
            moderation.pause();
        }
        return sleeps.get();
    }

    @Test
    void shouldNotKeepASingleOneWaiting() {
        assertEquals(0, sleepsAfter(1, 1, 0, 7, 1, 4, 4, 4));
    }

    @Test
    void shouldPauseWhileManyCome() {
        assertEquals(4, sleepsAfter(8, 4, 64, 5));
        assertEquals(0, sleepsAfter(3, 7, 7));
        assertEquals(1, sleepsAfter(8));
    }
}
