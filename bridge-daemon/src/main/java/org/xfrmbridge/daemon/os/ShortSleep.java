package org.xfrmbridge.daemon.os;

import static org.xfrmbridge.daemon.os.Native.FAST;
import static org.xfrmbridge.daemon.os.Native.LIBC;

import org.xfrmbridge.daemon.os.Native.Memory;

/**
 * Sleeps of some microseconds, nanosleep(2). A kernel adds up to 50 to each unless the thread says how exact it wants
 * its timers, prctl(2): that is done by the first sleep. One thread.
 */
public final class ShortSleep {
    private static final int PR_SET_TIMERSLACK = 29;
    private static final long SLACK_NS = 1000;
    private static final int TIMESPEC_BYTES = 16;
    private static final int NANOSECONDS = 8;

    private final Memory duration = new Memory(TIMESPEC_BYTES);
    private boolean isExact;

    /** @param ns less than a second */
    public ShortSleep(int ns) {
        duration.buffer.putLong(0, 0).putLong(NANOSECONDS, ns);
    }

    /** Ends early when a signal comes. */
    public void sleep() {
        if (!isExact) {
            isExact = true;
            // A kernel that refuses sleeps longer.
            LIBC.prctl(PR_SET_TIMERSLACK, SLACK_NS, 0, 0, 0);
        }
        FAST.nanosleep(duration.pointer, 0);
    }
}
