package org.xfrmbridge.daemon.port;

import java.util.function.Supplier;
import org.xfrmbridge.daemon.os.OsException;
import org.xfrmbridge.daemon.os.PollSet;
import org.xfrmbridge.daemon.os.TapDevice;
import org.xfrmbridge.io.PacketBatch;
import org.xfrmbridge.io.PacketBuffer.Origin;
import org.xfrmbridge.io.PacketPool;
import org.xfrmbridge.io.PacketPort;

/**
 * A TAP. With {@link TapDevice.Offload#SUPER_FRAMES} the host leaves checksums and cutting to the port, and one system
 * call carries up to 64 KB each way; what the datapath sees are ordinary frames.
 */
public final class TapPort implements PacketPort {
    /** Enough to share the cost of a round, few enough to stay in the first-level cache with their headers. */
    private static final int BATCH_FRAMES = 64;

    private final TapDevice device;
    private final TapInput input;
    private final ThreadLocal<TapOutput> output;
    private final Sleep sleep;
    private final PollSet waiting = new PollSet();

    private TapPort(TapDevice device, int queue, Origin origin, Supplier<TapOutput> outputs) throws OsException {
        this.device = device;
        this.input = new TapInput(device, queue, origin);
        this.output = ThreadLocal.withInitial(outputs);
        sleep = new Sleep(device.fd(queue));
        waiting.add(device.fd(queue), PollSet.READ);
    }

    /**
     * Where the machine's own stack is: it takes merged segments, and datagrams.
     *
     * @param queue of the device: what is received comes by it
     */
    public static TapPort ofHost(TapDevice device, int queue) throws OsException {
        return new TapPort(device, queue, Origin.STACK, () -> TapOutput.toHost(device));
    }

    /**
     * Where others are: of what goes to them only outer packets are merged, as some device cuts them again.
     *
     * @param mostFrames that this device cuts
     * @param mostBytes that it cuts, the link header included
     */
    public static TapPort ofNetwork(TapDevice device, int mostFrames, int mostBytes) throws OsException {
        return new TapPort(device, 0, Origin.BRIDGE, () -> TapOutput.toNetwork(device, mostFrames, mostBytes));
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
        return sleep.await(timeoutMs);
    }

    @Override
    public void wake() {
        sleep.wake();
    }

    /** Whether frames wait to be received. One other thread may ask. */
    public boolean isReadable() {
        waiting.await(0);
        return waiting.happened(0, PollSet.READ);
    }

    @Override
    public long missed() {
        return device.missed();
    }

    /** Wakes the receiving thread; the device itself is its owner's to close. */
    @Override
    public void close() {
        sleep.close();
    }
}
