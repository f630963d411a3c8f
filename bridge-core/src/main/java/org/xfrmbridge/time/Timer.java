package org.xfrmbridge.time;

/**
 * A handle of a {@link TimerWheel}: scheduled or not, for one thing that happens later. Used again and again. What is
 * there by the million is a Timer itself; {@link #of} makes one for anything else.
 */
public abstract class Timer<T> {
    static final int IDLE = -1;

    long tick;
    int slot = IDLE;
    Timer<T> next;
    Timer<T> previous;

    /** @param subject what the consumer is given when the time has come */
    public static <T> Timer<T> of(T subject) {
        return new Timer<>() {
            @Override
            protected T subject() {
                return subject;
            }
        };
    }

    /** What the consumer is given when the time has come. */
    protected abstract T subject();

    public boolean isScheduled() {
        return slot != IDLE;
    }
}
