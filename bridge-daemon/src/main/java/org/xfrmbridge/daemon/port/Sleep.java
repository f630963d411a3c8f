package org.xfrmbridge.daemon.port;

import org.xfrmbridge.daemon.os.EventDescriptor;
import org.xfrmbridge.daemon.os.OsException;
import org.xfrmbridge.daemon.os.PollSet;

/**
 * How the thread of a port sleeps: until one of its descriptors can be read, it is woken, or the port was closed. Any
 * thread wakes and closes.
 */
final class Sleep {
    private final EventDescriptor wakeup = new EventDescriptor();
    private final PollSet poll = new PollSet();
    private final int woken;
    private volatile boolean closed;

    Sleep(int... fds) throws OsException {
        for (int fd : fds) {
            poll.add(fd, PollSet.READ);
        }
        woken = poll.add(wakeup.fd(), PollSet.READ);
    }

    /** At most so long; false if the port was closed. */
    boolean await(int timeoutMs) {
        if (!closed && poll.await(timeoutMs) > 0 && poll.happened(woken, PollSet.READ)) {
            wakeup.drain();
        }
        return !closed;
    }

    void wake() {
        wakeup.signal();
    }

    /** Wakes for good. */
    void close() {
        closed = true;
        wakeup.signal();
    }

    /** When no thread sleeps or wakes any more. */
    void release() {
        wakeup.close();
    }
}
