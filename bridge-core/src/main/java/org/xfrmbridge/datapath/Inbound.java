package org.xfrmbridge.datapath;

import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.xfrmbridge.io.PacketBatch;
import org.xfrmbridge.io.PacketPool;
import org.xfrmbridge.io.PacketPort;
import org.xfrmbridge.xfrm.State;
import org.xfrmbridge.xfrm.StateOwner;

/**
 * The duty cycle of the inbound direction: from the network's port to the host's. One thread drives it, or each of
 * several one.
 */
public final class Inbound {
    private static final int BATCH_FRAMES = 64;

    private final PacketPort network;
    private final PacketPort host;
    private final PacketPool pool = new PacketPool(4 * BATCH_FRAMES);
    private final PacketBatch handedOver = new PacketBatch(BATCH_FRAMES);
    private final PacketBatch received = new PacketBatch(BATCH_FRAMES);
    private final PacketBatch toHost = new PacketBatch(BATCH_FRAMES);
    /**
     * Of these it wipes what it made of their keys: between two batches, as no packet on its way may lose its cipher.
     */
    private final Queue<State> removed = new ConcurrentLinkedQueue<>();

    private final Steering steering;
    private List<Inbound> all = List.of(this);
    private final PathCounters counters;
    private final InboundPath path;

    /** The only thread of its direction. */
    public Inbound(PathContext context, XfrmStats stats, PacketPort network, PacketPort host) {
        this(context, stats, network, host, Steering.ALONE);
    }

    private Inbound(PathContext context, XfrmStats stats, PacketPort network, PacketPort host, Steering steering) {
        this.network = network;
        this.host = host;
        this.steering = steering;
        counters = stats.newInbound();
        path = new InboundPath(context, counters, pool, steering);
    }

    /**
     * One for each thread.
     *
     * @param networks where each receives
     * @param host where all send
     */
    public static List<Inbound> among(
            PathContext context, XfrmStats stats, List<PacketPort> networks, PacketPort host) {
        List<Inbound> all = new ArrayList<>();
        for (Steering steering : Steering.among(networks)) {
            all.add(new Inbound(context, stats, networks.get(all.size()), host, steering));
        }
        all.forEach(one -> one.all = List.copyOf(all));
        return all;
    }

    /**
     * Any thread: a State has gone. What was made of its keys, by the thread that it belongs to, is wiped with the next
     * {@link #doWork} of that one.
     */
    public void forget(State state) {
        int owner = steering.isAlone() ? 0 : Math.max(0, state.inboundOwner().thread());
        all.get(owner).removed.add(state);
    }

    /** Waits until there is something to do or the time is over; false if the port was closed. */
    public boolean await(int timeoutMs) {
        return steering.await(network, timeoutMs);
    }

    /**
     * Handles what has come; returns how many frames that was. Never waits. Throws nothing: a fault is counted, and
     * costs what was in hand.
     */
    public int doWork() {
        receive();
        int frames = handedOver.size() + received.size();
        if (frames > 0) {
            run();
            steering.wakeOthers();
            flush();
        }
        return frames;
    }

    private void receive() {
        try {
            for (State state = removed.poll(); state != null; state = removed.poll()) {
                wipe(state);
            }
            steering.take(pool, handedOver);
            if (!steering.isHeldUp()) {
                network.receive(pool, received);
            }
        } catch (Throwable fault) {
            counters.fault(fault);
        }
    }

    private void wipe(State state) {
        if (steering.ownsInbound(state)) {
            state.wipeInbound();
        } else if (state.inboundOwner().thread() != StateOwner.NOBODY) {
            // It was passed on meanwhile.
            forget(state);
        }
    }

    private void run() {
        try {
            path.run(handedOver, received, toHost);
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
