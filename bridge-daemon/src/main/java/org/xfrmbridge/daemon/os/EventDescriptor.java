package org.xfrmbridge.daemon.os;

import static org.xfrmbridge.daemon.os.Native.LIBC;
import static org.xfrmbridge.daemon.os.Native.check;

import org.xfrmbridge.daemon.os.Native.Memory;

/** An eventfd(2) that wakes a thread out of poll. Any thread signals; the woken one drains. */
public final class EventDescriptor implements AutoCloseable {
    private static final int NONBLOCK_CLOEXEC = 0x800 | 0x80000;
    private static final int BYTES = 8;

    private final Descriptor descriptor;
    private final Memory one = new Memory(BYTES);
    private final Memory drained = new Memory(BYTES);

    public EventDescriptor() throws OsException {
        descriptor = new Descriptor(check(LIBC.eventfd(0, NONBLOCK_CLOEXEC), "eventfd()"));
        one.buffer.putLong(0, 1);
    }

    public int fd() {
        return descriptor.fd();
    }

    /** Makes the descriptor readable until it is drained. */
    public void signal() {
        Native.FAST.write(descriptor.fd(), one.pointer, BYTES);
    }

    public void drain() {
        Native.FAST.read(descriptor.fd(), drained.pointer, BYTES);
    }

    @Override
    public void close() {
        descriptor.close();
    }
}
