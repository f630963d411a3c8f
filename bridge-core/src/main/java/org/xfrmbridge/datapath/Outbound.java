package org.xfrmbridge.datapath;

import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.xfrmbridge.io.PacketBatch;
import org.xfrmbridge.io.PacketPool;
import org.xfrmbridge.io.PacketPort;
import org.xfrmbridge.xfrm.State;

/** The duty cycle of the outbound direction: from the host's port to the network's. One thread drives it. */
public final class Outbound {
    private static final int BATCH_FRAMES = 64;

    private final PacketPort host;
    private final PacketPort network;
    private final PacketPool pool = new PacketPool(4 * BATCH_FRAMES);
    private final PacketBatch received = new PacketBatch(BATCH_FRAMES);
    private final PacketBatch toNetwork = new PacketBatch(BATCH_FRAMES);
    private final PacketBatch toHost = new PacketBatch(BATCH_FRAMES);
    /**
     * Of these it wipes what it made of their keys: between two batches, as no packet on its way may lose its cipher.
     */
    private final Queue<State> removed = new ConcurrentLinkedQueue<>();

    private final PathCounters counters;
    private final OutboundPath path;

    public Outbound(PathContext context, XfrmStats stats, PacketPort host, PacketPort network) {
        this.host = host;
        this.network = network;
        counters = stats.newOutbound();
        path = new OutboundPath(context, counters, pool);
    }

    /** Any thread: a State has gone. What was made of its keys here is wiped with the next {@link #doWork}. */
    public void forget(State state) {
        removed.add(state);
    }

    /**
     * Handles what has come; returns how many frames that was. Never waits. Throws nothing: a fault is counted, and
     * costs what was in hand.
     */
    public int doWork() {
        receive();
        int frames = received.size();
        if (frames > 0) {
            run();
            flush(network, toNetwork);
            flush(host, toHost);
        }
        return frames;
    }

    private void receive() {
        try {
            for (State state = removed.poll(); state != null; state = removed.poll()) {
                state.wipeOutbound();
            }
            host.receive(pool, received);
        } catch (Throwable fault) {
            counters.fault(fault);
        }
    }

    private void run() {
        try {
            path.run(received, toNetwork, toHost);
        } catch (Throwable fault) {
            counters.fault(fault);
        }
    }

    private void flush(PacketPort port, PacketBatch batch) {
        if (batch.isEmpty()) {
            return;
        }
        try {
            port.send(batch);
        } catch (Throwable fault) {
            counters.fault(fault);
        } finally {
            batch.releaseTo(pool);
        }
    }
}
