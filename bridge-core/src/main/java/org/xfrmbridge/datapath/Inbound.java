package org.xfrmbridge.datapath;

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
    private final RemovedStates removed = new RemovedStates();
    private final PathCounters counters;
    private final InboundPath path;

    public Inbound(PathContext context, XfrmStats stats, PacketPort network, PacketPort host) {
        this.network = network;
        this.host = host;
        counters = stats.newInbound();
        path = new InboundPath(context, counters, pool);
    }

    /** Any thread: a State has removed. What was made of its keys here is wiped with the next {@link #doWork}. */
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
            removed.take(State::wipeInbound);
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
