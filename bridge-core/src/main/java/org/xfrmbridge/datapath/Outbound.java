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
 * The duty cycle of the outbound direction: from the host's port to the network's. One thread drives it, or each of
 * several one.
 */
public final class Outbound {
    /** In so many turns a thread takes all that others have handed over to it before. */
    public static final int TURNS_TO_TAKE_ALL = Steering.TURNS_TO_TAKE_ALL;

    private static final int BATCH_FRAMES = 64;

    private final PacketPort host;
    private final PacketPort network;
    private final PacketPool pool = new PacketPool(4 * BATCH_FRAMES);
    private final PacketBatch handedOver = new PacketBatch(BATCH_FRAMES);
    private final PacketBatch received = new PacketBatch(BATCH_FRAMES);
    private final PacketBatch toNetwork = new PacketBatch(BATCH_FRAMES);
    private final PacketBatch toHost = new PacketBatch(BATCH_FRAMES);
    /**
     * Of these it wipes what it made of their keys: between two batches, as no packet on its way may lose its cipher.
     */
    private final Queue<State> removed = new ConcurrentLinkedQueue<>();

    private volatile long looks;

    private final Steering steering;
    private List<Outbound> all = List.of(this);
    private final PathCounters counters;
    private final OutboundPath path;

    /** The only thread of its direction. */
    public Outbound(PathContext context, XfrmStats stats, PacketPort host, PacketPort network) {
        this(context, stats, host, network, Steering.ALONE);
    }

    private Outbound(PathContext context, XfrmStats stats, PacketPort host, PacketPort network, Steering steering) {
        this.host = host;
        this.network = network;
        this.steering = steering;
        counters = stats.newOutbound();
        path = new OutboundPath(context, counters, pool, steering);
    }

    /**
     * One for each thread.
     *
     * @param hosts where each receives
     * @param network where all send
     */
    public static List<Outbound> among(
            PathContext context, XfrmStats stats, List<PacketPort> hosts, PacketPort network) {
        List<Outbound> all = new ArrayList<>();
        for (Steering steering : Steering.among(hosts)) {
            all.add(new Outbound(context, stats, hosts.get(all.size()), network, steering));
        }
        all.forEach(one -> one.all = List.copyOf(all));
        return all;
    }

    /**
     * Any thread: a State has gone. What was made of its keys, by the thread that it belongs to, is wiped with the next
     * {@link #doWork} of that one.
     */
    public void forget(State state) {
        int owner = steering.isAlone() ? 0 : Math.max(0, state.outboundOwner().thread());
        all.get(owner).removed.add(state);
    }

    /** Waits until there is something to do or the time is over; false if the port was closed. */
    public boolean await(int timeoutMs) {
        return steering.await(host, timeoutMs);
    }

    /** How often it has received what waited at its port, up to a batch. Any thread. */
    public long looks() {
        return looks;
    }

    /** Whether frames wait that other threads have handed over. Any thread. */
    public boolean isHandedOver() {
        return !steering.isIdle();
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
            flush(network, toNetwork);
            flush(host, toHost);
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
                host.receive(pool, received);
                looks = looks + 1;
            }
        } catch (Throwable fault) {
            counters.fault(fault);
        }
    }

    private void wipe(State state) {
        if (steering.ownsOutbound(state)) {
            state.wipeOutbound();
        } else if (state.outboundOwner().thread() != StateOwner.NOBODY) {
            // It was passed on meanwhile.
            forget(state);
        }
    }

    private void run() {
        try {
            path.run(handedOver, received, toNetwork, toHost);
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
