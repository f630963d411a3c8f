package org.xfrmbridge.daemon.os;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.VarHandle;
import java.util.concurrent.TimeUnit;

/**
 * One message on its way through memory that a client and the bridge both map, while the receiver looks without
 * sleeping. The protocol, with all its states and rules, is told in {@code src/main/c/box.h}; this is the bridge's side
 * of it, for both directions. The client may write anything there at any time: nothing here waits for it, and a message
 * is copied before it is read. Control thread only.
 */
public final class MailboxSlot {
    /** Largest message. */
    public static final int ROOM_BYTES = 32_768;

    /** Returned when nothing is there. */
    public static final int NOTHING = UnixConnection.NOTHING;

    static final int BYTES = 36_864;

    private static final int IDLE = 0;
    private static final int LOOKING = 1;
    private static final int CLAIMED = 2;
    private static final int FULL = 3;
    private static final int TAKEN = 4;
    private static final int REVOKED = 5;

    private static final long STATE_AT = 0;
    private static final long LENGTH_AT = 4;
    private static final long SINCE_AT = 8;
    private static final long MESSAGE_AT = 16;

    private static final VarHandle STATE = ValueLayout.JAVA_INT.varHandle();
    private static final long PROMISE_NS = TimeUnit.MILLISECONDS.toNanos(1);

    private final MemorySegment memory;

    MailboxSlot(MemorySegment memory) {
        this.memory = memory;
    }

    private int state() {
        return (int) STATE.getAcquire(memory, STATE_AT);
    }

    private boolean move(int from, int to) {
        return STATE.compareAndSet(memory, STATE_AT, from, to);
    }

    /**
     * Begins to look for a message, or goes on: for a millisecond from now senders may put one in.
     *
     * @param endNs on the clock of {@link System#nanoTime}: from then on it ends looking instead
     * @return whether it looks
     */
    public boolean look(long endNs) {
        // The clock of System.nanoTime() is CLOCK_MONOTONIC.
        long nowNs = System.nanoTime();
        if (nowNs - endNs >= 0) {
            stop();
            return false;
        }
        memory.set(ValueLayout.JAVA_LONG, SINCE_AT, nowNs);
        move(IDLE, LOOKING);
        return true;
    }

    /** Whether a message is there. */
    public boolean isFull() {
        return state() == FULL;
    }

    /** The same, looking that often. */
    public boolean isFull(int looks) {
        for (int i = 0; i < looks; i++) {
            if (isFull()) {
                return true;
            }
            Thread.onSpinWait();
        }
        return false;
    }

    /** Ends looking; true if a message is there. It stays for {@link #take}. */
    public boolean stop() {
        return !move(LOOKING, IDLE) && !move(CLAIMED, REVOKED) && isFull();
    }

    /**
     * Takes the message out.
     *
     * @param into room for {@link #ROOM_BYTES}; the caller wipes it if it held secrets
     * @return number of bytes, 0 if the client says what cannot be, {@link #NOTHING} if none is there
     */
    public int take(byte[] into) {
        return take(into, TAKEN);
    }

    /** Takes back what was put in and has not been received: {@link #NOTHING} if it was. */
    public int takeBack(byte[] into) {
        return isFull() ? take(into, CLAIMED) : NOTHING;
    }

    private int take(byte[] into, int meanwhile) {
        if (!move(FULL, meanwhile)) {
            return NOTHING;
        }
        int length = memory.get(ValueLayout.JAVA_INT, LENGTH_AT);
        int bytes = length > 0 && length <= ROOM_BYTES ? length : 0;
        MemorySegment.copy(memory, ValueLayout.JAVA_BYTE, MESSAGE_AT, into, 0, bytes);
        wipe(bytes);
        STATE.setRelease(memory, STATE_AT, IDLE);
        return bytes;
    }

    private void wipe(int bytes) {
        memory.asSlice(MESSAGE_AT, bytes).fill((byte) 0);
    }

    /** Whether a receiver looks: the caller must have nothing unread in the socket. */
    public boolean isLookedAt() {
        return state() == LOOKING && System.nanoTime() - memory.get(ValueLayout.JAVA_LONG, SINCE_AT) < PROMISE_NS;
    }

    /** Puts a message in; false if nobody looks, or it is too large. */
    public boolean put(byte[] bytes, int offset, int length) {
        if (length > ROOM_BYTES || !move(LOOKING, CLAIMED)) {
            return false;
        }
        memory.set(ValueLayout.JAVA_INT, LENGTH_AT, length);
        MemorySegment.copy(bytes, offset, memory, ValueLayout.JAVA_BYTE, MESSAGE_AT, length);
        if (move(CLAIMED, FULL)) {
            return true;
        }
        wipe(length);
        move(REVOKED, IDLE);
        return false;
    }
}
