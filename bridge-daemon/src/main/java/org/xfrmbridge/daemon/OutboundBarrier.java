package org.xfrmbridge.daemon;

import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import org.xfrmbridge.daemon.control.ChangeBatch;
import org.xfrmbridge.time.Clock;

/**
 * Waits until every frame that the host has sent by now was judged and is on its way. Frames wait in the host's TAP, on
 * a busy machine for long: without this, those sent under a policy that is removed meanwhile would leave in the clear.
 * All that is removed in one batch, by one datagram of requests or one run of the timers, is removed as of its
 * beginning: it is waited for once. Before the datapath runs nothing is waited for: what it finds then it judges by
 * what is there. Control thread only; an idle datapath costs it one system call.
 */
final class OutboundBarrier implements Runnable, ChangeBatch {
    private static final long LIMIT_NS = 1_000_000_000L;
    private static final long PAUSE_NS = 50_000;

    /**
     * A turn takes 64 frames or all there are, and no more than 2,000 wait in the TAP and its queue: later ones were
     * sent later.
     */
    private static final int MOST_TURNS = 2 + 2_000 / 64;

    private final BooleanSupplier queued;
    private final DatapathLoop outbound;
    private final Clock clock;
    private boolean inBatch;
    private boolean settled;

    /** @param queued whether frames wait to be received */
    OutboundBarrier(BooleanSupplier queued, DatapathLoop outbound, Clock clock) {
        this.queued = queued;
        this.outbound = outbound;
        this.clock = clock;
    }

    @Override
    public void begin() {
        inBatch = true;
        settled = false;
    }

    @Override
    public void end() {
        inBatch = false;
    }

    @Override
    public void run() {
        if (!inBatch || !settled) {
            settle();
        }
        settled = true;
    }

    private void settle() {
        long deadlineNs = clock.nowNs() + LIMIT_NS;
        long first = outbound.turns();
        while (queued.getAsBoolean()
                && outbound.isRunning()
                && outbound.turns() - first <= MOST_TURNS
                && clock.nowNs() - deadlineNs < 0) {
            LockSupport.parkNanos(PAUSE_NS);
        }
        long inHand = outbound.turns();
        while (outbound.isWorking() && outbound.turns() == inHand && clock.nowNs() - deadlineNs < 0) {
            LockSupport.parkNanos(PAUSE_NS);
        }
    }
}
