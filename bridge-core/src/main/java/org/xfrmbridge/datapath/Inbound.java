package org.xfrmbridge.datapath;

import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.xfrmbridge.io.PacketBatch;
import org.xfrmbridge.io.PacketPool;
import org.xfrmbridge.io.PacketPort;
import org.xfrmbridge.xfrm.State;

/** The duty cycle of the inbound direction: from the network's port to the host's. One thread drives it. */
public final class Inbound {
    private static final int BATCH_FRAMES = 64;

    private final PacketPort network;
    private final PacketPort host;
    private final PacketPool pool = new PacketPool(4 * BATCH_FRAMES);
    private final PacketBatch received = new PacketBatch(BATCH_FRAMES);
    private final PacketBatch toHost = new PacketBatch(BATCH_FRAMES);
    /**
     * Of these it wipes what it made of their keys: between two batches, as no packet on its way may lose its cipher.
     */
    private final Queue<State> removed = new ConcurrentLinkedQueue<>();

    private final PathCounters counters;
    private final InboundPath path;

    public Inbound(PathContext context, XfrmStats stats, PacketPort network, PacketPort host) {
        this.network = network;
        this.host = host;
        counters = stats.newInbound();
        path = new InboundPath(context, counters, pool);
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
            flush();
        }
        return frames;
    }

    private void receive() {
        try {
            for (State state = removed.poll(); state != null; state = removed.poll()) {
                state.wipeInbound();
            }
            network.receive(pool, received);
        } catch (Throwable fault) {
            counters.fault(fault);
        }
    }

    private void run() {
        try {
            path.run(received, toHost);
        } catch (Throwable fault) {
            counters.fault(fault);
        }
    }

    private void flush() {
        if (toHost.isEmpty()) {
            return;
        }
        try {
            host.send(toHost);
        } catch (Throwable fault) {
            counters.fault(fault);
        } finally {
            toHost.releaseTo(pool);
        }
    }
}
