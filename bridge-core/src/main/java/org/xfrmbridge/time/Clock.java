package org.xfrmbridge.time;

/** The one source of time, injected everywhere. Any thread may ask. */
public interface Clock {
    /** Monotonic nanoseconds from an arbitrary origin. */
    long nowNs();

    /** Seconds since the epoch, for what clients are shown (add time, use time). */
    long epochSeconds();
}
