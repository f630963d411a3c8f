package org.xfrmbridge.daemon.port;

import org.xfrmbridge.daemon.os.EventDescriptor;
import org.xfrmbridge.daemon.os.OsException;
import org.xfrmbridge.daemon.os.PollSet;
import org.xfrmbridge.io.PacketBatch;
import org.xfrmbridge.io.PacketPool;
import org.xfrmbridge.io.PacketPort;

/** Where a datapath thread sleeps that receives nothing itself: others hand over to it what they have received. */
public final class SleepingPort implements PacketPort {
    private final PacketPort output;
    private final EventDescriptor wakeup = new EventDescriptor();
    private final PollSet poll = new PollSet();
    private volatile boolean closed;

    /** @param output where to what is sent here goes */
    public SleepingPort(PacketPort output) throws OsException {
        this.output = output;
        poll.add(wakeup.fd(), PollSet.READ);
    }

    @Override
    public void receive(PacketPool pool, PacketBatch into) {}

    @Override
    public void send(PacketBatch batch) {
        output.send(batch);
    }

    @Override
    public boolean await(int timeoutMs) {
        if (!closed && poll.await(timeoutMs) > 0) {
            wakeup.drain();
        }
        return !closed;
    }

    @Override
    public void wake() {
        wakeup.signal();
    }

    /** Wakes the thread. */
    @Override
    public void close() {
        closed = true;
        wakeup.signal();
    }
}
