package org.xfrmbridge.datapath;

import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.function.BiFunction;
import org.xfrmbridge.io.PacketBatch;
import org.xfrmbridge.io.PacketPool;
import org.xfrmbridge.io.PacketPort;
import org.xfrmbridge.xfrm.State;
import org.xfrmbridge.xfrm.StateOwner;

/**
 * What a datapath thread does turn by turn, in either direction: it takes what others have handed over and what has
 * come to its port, leads it through a path, and sends what comes out of that. One thread drives it, or each of several
 * one.
 */
public abstract sealed class DutyCycle permits Outbound, Inbound {
    /** In so many turns a thread takes all that others have handed over to it before. */
    public static final int TURNS_TO_TAKE_ALL = Steering.TURNS_TO_TAKE_ALL;

    static final int BATCH_FRAMES = 64;

    private final PacketPath path;
    private final Steering steering;
    private final PathCounters counters;
    private final PacketPool pool;
    private final PacketPort source;
    private final PacketPort network;
    private final PacketPort host;
    private final PacketBatch handedOver = new PacketBatch(BATCH_FRAMES);
    private final PacketBatch received = new PacketBatch(BATCH_FRAMES);
    private final PacketBatch toNetwork = new PacketBatch(BATCH_FRAMES);
    private final PacketBatch toHost = new PacketBatch(BATCH_FRAMES);
    /**
     * Of these it wipes what it made of their keys: between two batches, as no packet on its way may lose its cipher.
     */
    private final Queue<State> removed = new ConcurrentLinkedQueue<>();

    private List<DutyCycle> all = List.of(this);
    private volatile long looks;

    /** @param source where it receives: one of the other two, or one queue of that */
    DutyCycle(PacketPath path, PacketPort source, PacketPort network, PacketPort host) {
        this.path = path;
        this.source = source;
        this.network = network;
        this.host = host;
        steering = path.steering;
        counters = path.counters;
        pool = path.pool;
    }

    /** One for each thread, which receives from the port of that. */
    static <T extends DutyCycle> List<T> among(List<PacketPort> sources, BiFunction<PacketPort, Steering, T> each) {
        List<T> all = new ArrayList<>();
        for (Steering steering : Steering.among(sources)) {
            all.add(each.apply(sources.get(all.size()), steering));
        }
        for (DutyCycle one : all) {
            one.all = List.copyOf(all);
        }
        return all;
    }

    static PacketPool newPool() {
        return new PacketPool(4 * BATCH_FRAMES);
    }

    /** Whether most of what comes goes to the network, and not to the host. */
    abstract boolean leadsOut();

    abstract StateOwner ownerOf(State state);

    /** Wipes what this direction made of the keys. */
    abstract void wipe(State state);

    /**
     * Any thread: a State has gone. What was made of its keys, by the thread that it belongs to, is wiped with the next
     * {@link #doWork} of that one.
     */
    public final void forget(State state) {
        int owner = steering.isAlone() ? 0 : Math.max(0, ownerOf(state).thread());
        all.get(owner).removed.add(state);
    }

    /**
     * Has all opened that this thread sends by, for which its first packet would wait. Called by that thread, once,
     * before it waits for packets. What fails here is met by the first packet, and counted then.
     */
    public final void prepare() {
        try {
            // Of no packets.
            (leadsOut() ? network : host).send(new PacketBatch(0));
        } catch (RuntimeException e) {
            // See above.
        }
    }

    /** Waits until there is something to do or the time is over; false if the port was closed. */
    public final boolean await(int timeoutMs) {
        return steering.await(source, timeoutMs);
    }

    /** How often it has received what waited at its port, up to a batch. Any thread. */
    public final long looks() {
        return looks;
    }

    /** Whether frames wait that other threads have handed over. Any thread. */
    public final boolean isHandedOver() {
        return !steering.isIdle();
    }

    /**
     * Handles what has come; returns how many frames that was. Never waits. Throws nothing: a fault is counted, and
     * costs what was in hand.
     */
    public final int doWork() {
        receive();
        int frames = handedOver.size() + received.size();
        if (frames > 0) {
            run();
            steering.wakeOthers();
            flush(network, toNetwork);
            steering.passOn();
            flush(host, toHost);
        }
        return frames;
    }

    private void receive() {
        try {
            for (State state = removed.poll(); state != null; state = removed.poll()) {
                wipeIfOwn(state);
            }
            steering.take(pool, handedOver);
            if (!steering.isHeldUp()) {
                source.receive(pool, received);
                looks = looks + 1;
            }
        } catch (Throwable fault) {
            counters.fault(fault);
        }
    }

    private void wipeIfOwn(State state) {
        if (steering.isAlone() || ownerOf(state).thread() == steering.thread()) {
            wipe(state);
        } else if (ownerOf(state).thread() != StateOwner.NOBODY) {
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
