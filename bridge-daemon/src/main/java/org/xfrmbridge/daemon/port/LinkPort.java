package org.xfrmbridge.daemon.port;

import java.io.UncheckedIOException;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.xfrmbridge.daemon.os.IpSocket;
import org.xfrmbridge.daemon.os.OsException;
import org.xfrmbridge.daemon.os.PacketRing;
import org.xfrmbridge.daemon.os.TapDevice;
import org.xfrmbridge.io.PacketBatch;
import org.xfrmbridge.io.PacketBuffer.Origin;
import org.xfrmbridge.io.PacketPool;
import org.xfrmbridge.io.PacketPort;

/**
 * The network behind a TAP, with a way of their own for ESP packets, of which each would pay for all that is in
 * between: they come by a ring and go by a socket of the interface itself. All else, super-frames too, comes and goes
 * by the TAP.
 */
public final class LinkPort implements PacketPort {
    private static final int BATCH_FRAMES = 64;

    private final TapDevice device;
    private final TapInput input;
    private final PacketRing ring;
    private final Moderation moderation = new Moderation();
    private final ThreadLocal<LinkOutput> output;
    private final Queue<Runnable> closing = new ConcurrentLinkedQueue<>();
    private final Sleep sleep;

    /**
     * EPERM without CAP_NET_RAW.
     *
     * @param ring of the interface; closed with this
     * @param ifindex of the interface
     * @param mostFrames that it cuts
     * @param mostBytes that it cuts, the link header included
     */
    public LinkPort(TapDevice device, PacketRing ring, int ifindex, int mostFrames, int mostBytes) throws OsException {
        this.device = device;
        this.ring = ring;
        input = new TapInput(device, 0, Origin.BRIDGE);
        output = ThreadLocal.withInitial(() -> newOutput(ifindex, mostFrames, mostBytes));
        sleep = new Sleep(ring.fd(), device.fd(0));
    }

    private LinkOutput newOutput(int ifindex, int mostFrames, int mostBytes) {
        try {
            IpSocket socket = IpSocket.frameSender();
            closing.add(socket::close);
            return new LinkOutput(socket, ifindex, TapOutput.toNetwork(device, mostFrames, mostBytes));
        } catch (OsException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** However much comes by one way, the other gets its turn. */
    @Override
    public void receive(PacketPool pool, PacketBatch into) {
        int frames = 0;
        if (ring.next() == 0) {
            moderation.pause();
        }
        for (; frames < BATCH_FRAMES && ring.next() > 0; frames++) {
            into.add(RingInput.take(ring, pool));
        }
        moderation.note(frames);
        while (input.read(pool, into) && into.size() < BATCH_FRAMES) {}
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
    public long missed() {
        return ring.missed() + device.missed();
    }

    @Override
    public void wake() {
        sleep.wake();
    }

    /** Wakes the receiving thread; the TAP is its owner's to close. */
    @Override
    public void close() {
        sleep.close();
    }

    /** When no thread receives or sends any more. */
    public void release() {
        closing.forEach(Runnable::run);
        ring.close();
        sleep.release();
    }
}
