package org.xfrmbridge.daemon.os;

import static org.xfrmbridge.daemon.os.Native.LIBC;

import org.xfrmbridge.daemon.os.Native.Memory;

/** Waits on descriptors, poll(2): fill it, {@link #await}, ask each slot, {@link #clear}. One thread. */
public final class PollSet {
    public static final int READ = 0x1;
    public static final int WRITE = 0x4;
    public static final int ERROR = 0x8;
    public static final int HANGUP = 0x10;
    private static final int INVALID = 0x20;
    private static final int ENTRY_BYTES = 8;

    private Memory entries = new Memory(16 * ENTRY_BYTES);
    private int size;

    public void clear() {
        size = 0;
    }

    /** Adds a descriptor and returns its slot. */
    public int add(int fd, int events) {
        if ((size + 1) * ENTRY_BYTES > entries.buffer.capacity()) {
            Memory grown = new Memory(2 * entries.buffer.capacity());
            grown.buffer.put(0, entries.buffer, 0, size * ENTRY_BYTES);
            entries = grown;
        }
        entries.buffer.putInt(size * ENTRY_BYTES, fd);
        entries.buffer.putShort(size * ENTRY_BYTES + 4, (short) events);
        entries.buffer.putShort(size * ENTRY_BYTES + 6, (short) 0);
        return size++;
    }

    /**
     * Waits until something happens or the time is over; an interrupting signal counts as that.
     *
     * @param timeoutMs negative for no end
     * @return number of descriptors to which something happened
     */
    public int await(int timeoutMs) {
        for (int slot = 0; slot < size; slot++) {
            entries.buffer.putShort(slot * ENTRY_BYTES + 6, (short) 0);
        }
        return Math.max(0, LIBC.poll(entries.pointer, size, timeoutMs));
    }

    /** Whether any of the events happened there; a slot that broke is readable, writable and all else. */
    public boolean happened(int slot, int events) {
        return (entries.buffer.getShort(slot * ENTRY_BYTES + 6) & (events | ERROR | HANGUP | INVALID)) != 0;
    }
}
