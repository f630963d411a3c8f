package org.xfrmbridge.time;

/** A handle of a {@link TimerWheel}: scheduled or not, for one thing that happens later. Used again and again. */
public final class Timer<T> {
    static final int IDLE = -1;

    final T subject;
    long tick;
    int slot = IDLE;
    Timer<T> next;
    Timer<T> previous;

    /** @param subject what the consumer is given when the time has come */
    public Timer(T subject) {
        this.subject = subject;
    }

    public T subject() {
        return subject;
    }

    public boolean isScheduled() {
        return slot != IDLE;
    }
}
