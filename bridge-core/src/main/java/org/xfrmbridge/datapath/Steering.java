package org.xfrmbridge.datapath;

import java.lang.invoke.VarHandle;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.LockSupport;
import org.xfrmbridge.io.PacketBatch;
import org.xfrmbridge.io.PacketBuffer;
import org.xfrmbridge.io.PacketPool;
import org.xfrmbridge.io.PacketPort;
import org.xfrmbridge.xfrm.IpProtocol;
import org.xfrmbridge.xfrm.Policy;
import org.xfrmbridge.xfrm.State;
import org.xfrmbridge.xfrm.StateOwner;
import org.xfrmbridge.xfrm.StateSpec;

/**
 * One datapath thread among those of its direction, numbered from 0: what it hands over to the others, and gets of
 * them. A packet is handed over to the thread that its State belongs to ({@link org.xfrmbridge.xfrm.StateOwner}), which
 * handles it as if it had received it. From one thread to another all stay in order. Confined to its thread but for
 * what says otherwise.
 */
public final class Steering {
    /** Of a direction with one thread, to which every State belongs. */
    static final Steering ALONE = new Steering(0, 1, null);

    /** Less room than this for what another is to get, and nothing is received until it has taken of that. */
    private static final int LEAST_ROOM = HandoverRing.SLOTS / 4;

    private static final long PAUSE_NS = 50_000;

    /** Taken of each other thread in one turn. */
    private static final int MOST_TAKEN = 64;

    /** In so many whole turns all is taken that was handed over before. */
    static final int TURNS_TO_TAKE_ALL = HandoverRing.SLOTS / MOST_TAKEN;

    private final int thread;
    private final Steering[] all;
    private final PacketPort port;
    /** To each other thread, null to itself. */
    private final HandoverRing[] given;
    /** To which something was handed over that may have to be woken for it. */
    private final boolean[] unwoken;

    /** States that this thread has, and the first is to have. */
    private final List<StateOwner> leaving = new ArrayList<>();

    private volatile boolean asleep;

    private Steering(int thread, int threads, PacketPort port) {
        this.thread = thread;
        this.port = port;
        all = new Steering[threads];
        given = new HandoverRing[threads];
        unwoken = new boolean[threads];
        for (int other = 0; other < threads; other++) {
            given[other] = other == thread ? null : new HandoverRing();
        }
        all[thread] = this;
    }

    /** One for each thread. @param ports where the threads receive, and sleep */
    public static List<Steering> among(List<? extends PacketPort> ports) {
        if (ports.size() == 1) {
            return List.of(ALONE);
        }
        List<Steering> all = new ArrayList<>();
        for (PacketPort port : ports) {
            all.add(new Steering(all.size(), ports.size(), port));
        }
        for (Steering one : all) {
            all.toArray(one.all);
        }
        return all;
    }

    boolean isAlone() {
        return all.length == 1;
    }

    int thread() {
        return thread;
    }

    /** Those of this thread alone. */
    Identifications newIdentifications() {
        return new Identifications(thread, all.length);
    }

    /** Counts a use of a Policy, which all threads share. */
    void touch(Policy policy, long nowSeconds) {
        if (isAlone()) {
            policy.touch(nowSeconds);
        } else {
            policy.touchShared(nowSeconds);
        }
    }

    /** What this thread has made with a State is to be sent before another sends with it. */
    void passWhenSent(StateOwner owner) {
        leaving.add(owner);
    }

    /** All that was made is sent. */
    void passOn() {
        if (!leaving.isEmpty()) {
            leaving.forEach(owner -> owner.pass(BundleOwners.FIRST));
            leaving.clear();
        }
    }

    /** Whether an inbound State belongs to this thread. */
    boolean ownsInbound(State state) {
        return isAlone() || state.inboundOwner().thread() == thread;
    }

    /**
     * The thread that an inbound State belongs to. Those that follow each other between two ends, as by rekeying, are
     * of one thread, so that packets stay in order; what comes out of another State stays where that is.
     */
    int inboundThread(State state, SecPath path) {
        if (isAlone()) {
            return thread;
        }
        StateOwner owner = state.inboundOwner();
        return owner.thread() != StateOwner.NOBODY
                ? owner.thread()
                : owner.claim(path.isEmpty() ? spread(state) : thread);
    }

    /** What an IPComp tunnel sends uncompressed comes through the State beside, and may be half of a packet. */
    private int spread(State state) {
        StateSpec spec = state.spec();
        boolean ofCompression = state.isInternal() || spec.id().protocol() == IpProtocol.COMP;
        int ends = (31 * spec.saddr().hashCode() + spec.id().daddr().hashCode()) * 0x9e3779b1 >>> 16;
        // Key managers count reqids, so that neighbours are of different threads.
        int reqid = ofCompression ? 0 : spec.reqid();
        return Math.floorMod(ends + reqid + spec.pcpu(), all.length);
    }

    /** Hands a frame over; false, and it stays the caller's, where the other is too far behind. */
    boolean give(int to, PacketBuffer frame) {
        unwoken[to] = true;
        return given[to].give(frame);
    }

    /** Whether another is so far behind that nothing more should be received for the time being. */
    boolean isHeldUp() {
        for (HandoverRing ring : given) {
            if (ring != null && ring.room() < LEAST_ROOM) {
                return true;
            }
        }
        return false;
    }

    /** Takes of what others have handed over, and from {@code pool} the empty buffers that they get for it. */
    void take(PacketPool pool, PacketBatch into) {
        for (Steering other : all) {
            if (other != this) {
                given[other.thread].reclaim(pool);
                other.given[thread].take(pool, into, MOST_TAKEN);
            }
        }
    }

    /** At the end of a turn: wakes those who sleep and have got something. */
    void wakeOthers() {
        if (isAlone()) {
            return;
        }
        // What was given is to be seen by who goes to sleep, or that he sleeps by who gave it.
        VarHandle.fullFence();
        for (int other = 0; other < unwoken.length; other++) {
            if (unwoken[other] && all[other].asleep) {
                all[other].port.wake();
            }
            unwoken[other] = false;
        }
    }

    /** Whether nothing that was handed over waits for this thread. Any thread. */
    boolean isIdle() {
        for (Steering other : all) {
            if (other != this && !other.given[thread].isEmpty()) {
                return false;
            }
        }
        return true;
    }

    /** Waits until there is something to receive, or to take; false if the port was closed. */
    boolean await(PacketPort own, int timeoutMs) {
        if (isAlone()) {
            return own.await(timeoutMs);
        }
        if (isHeldUp()) {
            LockSupport.parkNanos(PAUSE_NS);
            return own.await(0);
        }
        asleep = true;
        VarHandle.fullFence();
        try {
            return own.await(isIdle() ? timeoutMs : 0);
        } finally {
            asleep = false;
        }
    }
}
