package org.xfrmbridge.daemon.port;

import java.nio.ByteBuffer;
import org.xfrmbridge.daemon.os.EventDescriptor;
import org.xfrmbridge.daemon.os.OsException;
import org.xfrmbridge.daemon.os.PollSet;
import org.xfrmbridge.daemon.os.TapDevice;
import org.xfrmbridge.io.PacketBatch;
import org.xfrmbridge.io.PacketBuffer;
import org.xfrmbridge.io.PacketPool;
import org.xfrmbridge.io.PacketPort;

/** A TAP without offloads: each read and write is one frame. */
public final class TapPort implements PacketPort {
    /** Enough to share the cost of a round, few enough to stay in the first-level cache with their headers. */
    private static final int BATCH_FRAMES = 64;

    private final TapDevice device;
    private final EventDescriptor closing;
    private final TapDevice.Channel receiving;
    private final ThreadLocal<TapDevice.Channel> sending;
    private final PollSet poll = new PollSet();
    private volatile boolean closed;

    public TapPort(TapDevice device) throws OsException {
        this.device = device;
        this.closing = new EventDescriptor();
        this.receiving = device.new Channel();
        this.sending = ThreadLocal.withInitial(() -> device.new Channel());
        poll.add(device.fd(), PollSet.READ);
        poll.add(closing.fd(), PollSet.READ);
    }

    @Override
    public void receive(PacketPool pool, PacketBatch into) {
        while (into.size() < BATCH_FRAMES) {
            int bytes = receiving.read();
            if (bytes <= 0) {
                return;
            }
            PacketBuffer packet = pool.take();
            packet.ensureCapacity(bytes);
            receiving.buffer().get(0, packet.data, packet.offset, bytes);
            packet.length = bytes;
            into.add(packet);
        }
    }

    @Override
    public void send(PacketBatch batch) {
        TapDevice.Channel channel = sending.get();
        ByteBuffer buffer = channel.buffer();
        for (int i = 0; i < batch.size(); i++) {
            PacketBuffer packet = batch.get(i);
            if (packet.length <= TapDevice.MAX_FRAME_BYTES) {
                buffer.put(0, packet.data, packet.offset, packet.length);
                channel.write(packet.length);
            }
        }
    }

    @Override
    public boolean await(int timeoutMs) {
        if (!closed) {
            poll.await(timeoutMs);
        }
        return !closed;
    }

    /** Wakes the receiving thread; the device itself is its owner's to close. */
    @Override
    public void close() {
        closed = true;
        closing.signal();
    }

    public TapDevice device() {
        return device;
    }
}
