package org.xfrmbridge.daemon.control;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import org.junit.jupiter.api.Test;
import org.xfrmbridge.daemon.os.SystemClock;

class PublicQueriesTest {
    /** Each that waits would hold up the end of the bridge for a second: anybody may ask, on many connections. */
    @Test
    void shouldNotWaitForALoopThatEnds() throws Exception {
        ControlLoop loop = new ControlLoop(new SystemClock());
        loop.stop();
        loop.run(new GuestPace(new SystemClock()));
        assertThrows(RejectedExecutionException.class, () -> loop.execute(() -> {}));
        assertEquals(
                "errno 11\n", PublicQueries.through(loop, request -> "42\n").answer("stat"));
    }

    @Test
    void shouldAnswerFromTheOtherThread() {
        Executor here = Runnable::run;
        assertEquals(
                "stat\n", PublicQueries.through(here, request -> request + '\n').answer("stat"));
    }
}
