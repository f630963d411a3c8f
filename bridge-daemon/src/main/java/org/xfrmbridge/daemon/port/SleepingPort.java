package org.xfrmbridge.daemon.port;

import org.xfrmbridge.daemon.os.OsException;
import org.xfrmbridge.io.PacketBatch;
import org.xfrmbridge.io.PacketPool;
import org.xfrmbridge.io.PacketPort;

/** Where a datapath thread sleeps that receives nothing itself: others hand over to it what they have received. */
public final class SleepingPort implements PacketPort {
    private final PacketPort output;
    private final Sleep sleep = new Sleep();

    /** @param output where to what is sent here goes */
    public SleepingPort(PacketPort output) throws OsException {
        this.output = output;
    }

    @Override
    public void receive(PacketPool pool, PacketBatch into) {}

    @Override
    public void send(PacketBatch batch) {
        output.send(batch);
    }

    @Override
    public boolean await(int timeoutMs) {
        return sleep.await(timeoutMs);
    }

    @Override
    public void wake() {
        sleep.wake();
    }

    /** Wakes the thread. */
    @Override
    public void close() {
        sleep.close();
    }
}
