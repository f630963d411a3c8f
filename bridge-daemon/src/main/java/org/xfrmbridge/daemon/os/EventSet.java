package org.xfrmbridge.daemon.os;

import static org.xfrmbridge.daemon.os.Native.FAST;
import static org.xfrmbridge.daemon.os.Native.LIBC;
import static org.xfrmbridge.daemon.os.Native.check;

import org.xfrmbridge.daemon.os.Native.Memory;

/**
 * Waits on many descriptors, epoll(7), level-triggered: what waits stays in the set, and a wait costs what happened and
 * not how many there are. Each descriptor has a key of the caller's. Closing a descriptor takes it out. One thread.
 */
public final class EventSet implements AutoCloseable {
    private static final int ADD = 1;
    private static final int REMOVE = 2;
    private static final int MODIFY = 3;

    /** Events taken at once; what is left comes the next time. */
    private static final int MOST = 64;

    /** {@code struct epoll_event} is packed on x86-64, and only there. */
    private static final boolean PACKED = "amd64".equals(System.getProperty("os.arch"));

    private static final int EVENT_BYTES = PACKED ? 12 : 16;
    private static final int DATA = PACKED ? 4 : 8;

    private final Descriptor descriptor;
    private final Memory events = new Memory(MOST * EVENT_BYTES);
    private final Memory wanted = new Memory(EVENT_BYTES);
    private int happened;

    public EventSet() throws OsException {
        descriptor = new Descriptor(check(LIBC.epoll_create1(Descriptor.O_CLOEXEC), "epoll_create1()"));
    }

    /** @param interest {@link PollSet#READ} and {@link PollSet#WRITE}; errors and hangups are always told */
    public void add(int fd, int interest, int key) throws OsException {
        control(ADD, fd, interest, key);
    }

    /** Another interest, or another key. */
    public void change(int fd, int interest, int key) throws OsException {
        control(MODIFY, fd, interest, key);
    }

    /** It stays open. What was told of it already may still be asked for. */
    public void remove(int fd) throws OsException {
        control(REMOVE, fd, 0, 0);
    }

    private void control(int operation, int fd, int interest, int key) throws OsException {
        wanted.buffer.putInt(0, interest).putLong(DATA, key);
        check(LIBC.epoll_ctl(descriptor.fd(), operation, fd, wanted.pointer), "epoll_ctl(fd %s)", fd);
    }

    /**
     * Waits until something happens or the time is over; an interrupting signal counts as that.
     *
     * @param timeoutMs negative for no end
     * @return how many events there are for {@link #key}
     */
    public int await(int timeoutMs) {
        happened = Math.max(0, FAST.epoll_wait(descriptor.fd(), events.pointer, MOST, timeoutMs));
        return happened;
    }

    /** Readable while something has happened: to wait for it in another set. */
    public int fd() {
        return descriptor.fd();
    }

    /** Where an event happened. */
    public int key(int event) {
        return (int) events.buffer.getLong(event * EVENT_BYTES + DATA);
    }

    @Override
    public void close() {
        descriptor.close();
    }
}
