package org.xfrmbridge.daemon.port;

import org.xfrmbridge.daemon.os.EventDescriptor;
import org.xfrmbridge.daemon.os.OsException;
import org.xfrmbridge.daemon.os.PollSet;
import org.xfrmbridge.daemon.os.TapDevice;
import org.xfrmbridge.io.PacketBatch;
import org.xfrmbridge.io.PacketPool;
import org.xfrmbridge.io.PacketPort;

/**
 * A TAP. With {@link TapDevice.Offload#SUPER_FRAMES} the host leaves checksums and cutting to the port, and one system
 * call carries up to 64 KB each way; what the datapath sees are ordinary frames. Written for the host's TAP: merged
 * segments and datagrams go to the machine's own stack.
 */
public final class TapPort implements PacketPort {
    /** Enough to share the cost of a round, few enough to stay in the first-level cache with their headers. */
    private static final int BATCH_FRAMES = 64;

    private final EventDescriptor closing;
    private final TapInput input;
    private final ThreadLocal<TapOutput> output;
    private final PollSet poll = new PollSet();
    private final PollSet waiting = new PollSet();
    private volatile boolean closed;

    public TapPort(TapDevice device) throws OsException {
        this.closing = new EventDescriptor();
        this.input = new TapInput(device);
        this.output = ThreadLocal.withInitial(() -> new TapOutput(device));
        poll.add(device.fd(), PollSet.READ);
        waiting.add(device.fd(), PollSet.READ);
        poll.add(closing.fd(), PollSet.READ);
    }

    @Override
    public void receive(PacketPool pool, PacketBatch into) {
        while (into.size() < BATCH_FRAMES && input.read(pool, into)) {}
    }

    @Override
    public void send(PacketBatch batch) {
        output.get().send(batch);
    }

    @Override
    public boolean await(int timeoutMs) {
        if (!closed) {
            poll.await(timeoutMs);
        }
        return !closed;
    }

    /** Whether frames wait to be received. One other thread may ask. */
    public boolean isReadable() {
        waiting.await(0);
        return waiting.happened(0, PollSet.READ);
    }

    /** Wakes the receiving thread; the device itself is its owner's to close. */
    @Override
    public void close() {
        closed = true;
        closing.signal();
    }
}
