package org.xfrmbridge.daemon;

import java.util.List;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import java.util.function.LongSupplier;
import org.xfrmbridge.daemon.control.ChangeBatch;
import org.xfrmbridge.datapath.Outbound;
import org.xfrmbridge.time.Clock;

/**
 * Waits until every frame that the host has sent by now was judged and is on its way. Frames wait in the host's TAP,
 * and where one thread hands them over to another, on a busy machine for long: without this, those sent under a policy
 * that is removed meanwhile would leave in the clear. All that is removed in one batch, by one datagram of requests or
 * one run of the timers, is removed as of its beginning: it is waited for once. Before the datapath runs nothing is
 * waited for: what it finds then it judges by what is there. Control thread only; an idle datapath costs it one system
 * call.
 */
final class OutboundBarrier implements Runnable, ChangeBatch {
    private static final long LIMIT_NS = 1_000_000_000L;
    private static final long PAUSE_NS = 50_000;

    /**
     * A look takes 64 frames or all there are, and no more than 2,000 wait in a queue of the TAP and before it: later
     * ones were sent later.
     */
    private static final int MOST_LOOKS = 2 + 2_000 / 64;

    private final List<Queue> queues;

    private final Clock clock;
    private boolean inBatch;
    private boolean settled;

    /**
     * One of the host's queues and its thread. All but the first two are asked while the loop runs.
     *
     * @param waiting whether frames wait to be received
     * @param looks how often the thread has received
     * @param handedOver whether frames wait that other threads have handed over
     */
    record Queue(DatapathLoop loop, BooleanSupplier waiting, LongSupplier looks, BooleanSupplier handedOver) {}

    OutboundBarrier(List<Queue> queues, Clock clock) {
        this.queues = queues;
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
        for (Queue queue : queues) {
            awaitReceived(queue, deadlineNs);
        }
        queues.forEach(queue -> awaitTurn(queue, deadlineNs));
        // Once, as a rule; where States come to be used together, a packet goes to each of their threads.
        for (int handover = 0; handover < queues.size() && queues.size() > 1; handover++) {
            queues.forEach(queue -> awaitTaken(queue, deadlineNs));
            queues.forEach(queue -> awaitTurn(queue, deadlineNs));
        }
    }

    private void awaitReceived(Queue queue, long deadlineNs) {
        if (!queue.waiting.getAsBoolean() || !queue.loop.isRunning()) {
            return;
        }
        long first = queue.looks.getAsLong();
        while (queue.waiting.getAsBoolean()
                && queue.looks.getAsLong() - first <= MOST_LOOKS
                && clock.nowNs() - deadlineNs < 0) {
            LockSupport.parkNanos(PAUSE_NS);
        }
    }

    /** What the thread has in hand. */
    private void awaitTurn(Queue queue, long deadlineNs) {
        long inHand = queue.loop.turns();
        while (queue.loop.isWorking() && queue.loop.turns() == inHand && clock.nowNs() - deadlineNs < 0) {
            LockSupport.parkNanos(PAUSE_NS);
        }
    }

    /** What others have handed over to it. */
    private void awaitTaken(Queue queue, long deadlineNs) {
        if (!queue.loop.isRunning()) {
            return;
        }
        long first = queue.loop.turns();
        while (queue.handedOver.getAsBoolean()
                && queue.loop.turns() - first <= 1 + Outbound.TURNS_TO_TAKE_ALL
                && clock.nowNs() - deadlineNs < 0) {
            LockSupport.parkNanos(PAUSE_NS);
        }
    }
}
