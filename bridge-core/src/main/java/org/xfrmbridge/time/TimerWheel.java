package org.xfrmbridge.time;

import java.util.function.Consumer;

/**
 * Timers by the million: scheduling and cancelling cost the same however many there are. Wheels of 64 slots, each 64
 * times slower than the one before; a timer waits in the wheel of the highest digit in which its tick differs from now,
 * and moves inward as its time comes near.
 *
 * <p>Time is {@link Clock#nowNs} and comes with {@link #advance}; deadlines are rounded up to the tick, so that a timer
 * is never early and at most a tick late. One thread only.
 */
public final class TimerWheel<T> {
    private static final int BITS = 6;
    private static final int SLOTS = 1 << BITS;
    private static final int WHEELS = 11;

    private final long tickNs;
    private final long startNs;
    private final Timer<T>[] slots;
    /** Per wheel, a bit for each slot that holds timers. */
    private final long[] occupied = new long[WHEELS];

    private long nowTick;
    private boolean advancing;
    private int size;

    @SuppressWarnings({"unchecked", "rawtypes"})
    public TimerWheel(long tickNs, long nowNs) {
        this.tickNs = tickNs;
        startNs = nowNs;
        slots = new Timer[WHEELS * SLOTS];
    }

    public int size() {
        return size;
    }

    /**
     * Schedules, or schedules anew. A deadline that is past comes with the next {@link #advance}, or tick if called
     * from one.
     */
    public void schedule(Timer<T> timer, long deadlineNs) {
        cancel(timer);
        timer.tick = Math.max(tickOf(deadlineNs), advancing ? nowTick + 1 : nowTick);
        insert(timer);
        size++;
    }

    /** Does nothing if it is not scheduled. */
    public void cancel(Timer<T> timer) {
        if (timer.isScheduled()) {
            unlink(timer);
            size--;
        }
    }

    /**
     * Gives the consumer everything that is due, in the order of ticks; it may schedule and cancel any timers. Going
     * back in time does nothing.
     */
    public void advance(long nowNs, Consumer<? super T> consumer) {
        long target = (nowNs - startNs) / tickNs;
        advancing = true;
        try {
            for (int slot = nextSlot(); slot >= 0 && startOf(slot) <= target; slot = nextSlot()) {
                nowTick = startOf(slot);
                if (slot < SLOTS) {
                    expire(slot, consumer);
                } else {
                    spread(slot);
                }
            }
            nowTick = Math.max(nowTick, target);
        } finally {
            advancing = false;
        }
    }

    /** When to call {@link #advance} next: nothing is due earlier. {@code Long.MAX_VALUE} without timers. */
    public long nextNs() {
        int slot = nextSlot();
        if (slot < 0) {
            return Long.MAX_VALUE;
        }
        long sinceNs = startOf(slot) > Long.MAX_VALUE / tickNs ? Long.MAX_VALUE : startOf(slot) * tickNs;
        long atNs = startNs + sinceNs;
        return atNs < startNs ? Long.MAX_VALUE : atNs;
    }

    private long tickOf(long deadlineNs) {
        if (deadlineNs <= startNs) {
            return 0;
        }
        long sinceNs = deadlineNs - startNs;
        if (sinceNs < 0) {
            sinceNs = Long.MAX_VALUE;
        }
        return sinceNs / tickNs + (sinceNs % tickNs == 0 ? 0 : 1);
    }

    private void expire(int slot, Consumer<? super T> consumer) {
        for (Timer<T> timer = slots[slot]; timer != null; timer = slots[slot]) {
            unlink(timer);
            size--;
            consumer.accept(timer.subject());
        }
    }

    /** Moves the timers of a slot inward: now has come to its start. */
    private void spread(int slot) {
        for (Timer<T> timer = slots[slot]; timer != null; timer = slots[slot]) {
            unlink(timer);
            insert(timer);
        }
    }

    /** The slot whose start comes first, or -1. Slots of an inner wheel come before all of the outer ones. */
    private int nextSlot() {
        for (int wheel = 0; wheel < WHEELS; wheel++) {
            int digit = digit(nowTick, wheel);
            long from = wheel == 0 ? -1L << digit : digit == SLOTS - 1 ? 0 : -1L << digit + 1;
            long candidates = occupied[wheel] & from;
            if (candidates != 0) {
                return wheel * SLOTS + Long.numberOfTrailingZeros(candidates);
            }
        }
        return -1;
    }

    /** The first tick of a slot that is not past: now's digits above it, its own, then zeros. */
    private long startOf(int slot) {
        int shift = slot / SLOTS * BITS;
        long above = shift + BITS >= Long.SIZE ? 0 : nowTick >>> shift + BITS << shift + BITS;
        return above | (long) (slot % SLOTS) << shift;
    }

    private static int digit(long tick, int wheel) {
        return (int) (tick >>> wheel * BITS) & SLOTS - 1;
    }

    private void insert(Timer<T> timer) {
        long differing = timer.tick ^ nowTick;
        int wheel = differing == 0 ? 0 : (Long.SIZE - 1 - Long.numberOfLeadingZeros(differing)) / BITS;
        int digit = digit(timer.tick, wheel);
        timer.slot = wheel * SLOTS + digit;
        timer.previous = null;
        timer.next = slots[timer.slot];
        if (timer.next != null) {
            timer.next.previous = timer;
        }
        slots[timer.slot] = timer;
        occupied[wheel] |= 1L << digit;
    }

    private void unlink(Timer<T> timer) {
        if (timer.next != null) {
            timer.next.previous = timer.previous;
        }
        if (timer.previous != null) {
            timer.previous.next = timer.next;
        } else {
            slots[timer.slot] = timer.next;
            if (timer.next == null) {
                occupied[timer.slot / SLOTS] &= ~(1L << timer.slot % SLOTS);
            }
        }
        timer.slot = Timer.IDLE;
        timer.next = null;
        timer.previous = null;
    }
}
