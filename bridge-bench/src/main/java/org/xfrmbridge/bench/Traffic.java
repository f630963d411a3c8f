package org.xfrmbridge.bench;

import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.HdrHistogram.Histogram;
import org.HdrHistogram.Recorder;
import org.xfrmbridge.datapath.Metric;
import org.xfrmbridge.xfrm.Flow;

/**
 * The packet thread of a {@link LoopbackBridge}: a packet of one flow after the other, sent and received, each way
 * timed. {@link #lap} ends a stretch and says what it was like.
 */
final class Traffic implements AutoCloseable {
    /** Which flow the next packet is of. */
    interface Source {
        /** Fills in the flow of the n-th packet. */
        void fill(Flow flow, long packet);

        /** Whether the n-th packet's flow has been there before: others are timed apart. */
        default boolean isKnown(long packet) {
            return true;
        }
    }

    /** What is timed. */
    enum Timed {
        /** A packet of a known flow on its way out, and in again. */
        OUT,
        IN,
        /** A packet of another flow on its way out. */
        STRANGER,
        /**
         * One lookup, of the policies for a flow and of the State that a packet came through: of every
         * {@value #SAMPLE}th packet, which is not timed itself.
         */
        POLICY,
        STATE
    }

    /**
     * What is counted: packets that left, and their lookups; packets that came protected, and theirs; packets that were
     * dropped.
     */
    private enum Counted {
        SENT,
        OUT_LOOKUPS,
        RECEIVED,
        IN_LOOKUPS,
        DROPPED
    }

    /** One stretch. */
    record Lap(double seconds, Histogram[] times, long[] counts) {
        Histogram ns(Timed timed) {
            return times[timed.ordinal()];
        }

        private long count(Counted counted) {
            return counts[counted.ordinal()];
        }

        double packetsPerSecond() {
            return count(Counted.SENT) / seconds;
        }

        double outLookupsPerPacket() {
            return (double) count(Counted.OUT_LOOKUPS) / count(Counted.SENT);
        }

        double inLookupsPerPacket() {
            return (double) count(Counted.IN_LOOKUPS) / count(Counted.RECEIVED);
        }

        long received() {
            return count(Counted.RECEIVED);
        }

        long dropped() {
            return count(Counted.DROPPED);
        }

        /** This one and another together. */
        Lap plus(Lap other) {
            for (int i = 0; i < times.length; i++) {
                times[i].add(other.times[i]);
            }
            return new Lap(
                    seconds + other.seconds,
                    times,
                    IntStream.range(0, counts.length)
                            .mapToLong(i -> counts[i] + other.counts[i])
                            .toArray());
        }
    }

    private static final int SAMPLE = 8;
    private static final long LONGEST_NS = 60_000_000_000L;

    private final LoopbackBridge bridge;
    private final Source source;
    private final int packetBytes;
    private final Recorder[] recorders = Stream.generate(() -> new Recorder(LONGEST_NS, 3))
            .limit(Timed.values().length)
            .toArray(Recorder[]::new);
    private final AtomicLong packets = new AtomicLong();
    private final Thread thread;
    private volatile boolean pausing = true;
    private volatile boolean paused;
    private volatile boolean closed;
    private volatile long restNs;
    private volatile RuntimeException failure;

    private long lapStartNs;
    private long[] before = new long[Counted.values().length];

    /** Starts the thread, which waits for {@link #resume}. */
    Traffic(LoopbackBridge bridge, Source source, int packetBytes) {
        this.bridge = bridge;
        this.source = source;
        this.packetBytes = packetBytes;
        thread = new Thread(this::run, "packets");
        thread.start();
    }

    /** A rest between packets; 0 for none. */
    void rest(long ns) {
        restNs = ns;
    }

    void resume() {
        pausing = false;
        LockSupport.unpark(thread);
    }

    /** Returns when the thread stands still. */
    void pause() {
        pausing = true;
        while (!paused && thread.isAlive()) {
            Thread.onSpinWait();
        }
    }

    /** Returns when that many more packets have been sent and received. */
    void await(long more) {
        long until = packets.get() + more;
        while (packets.get() < until && thread.isAlive()) {
            Thread.onSpinWait();
        }
        if (failure != null) {
            throw failure;
        }
    }

    /** Forgets what was until now. */
    void startLap() {
        lap();
    }

    /**
     * One without packets, to add others to: while nothing flows. Its histograms are there before anybody looks at the
     * heap.
     */
    Lap emptyLap() {
        lap();
        return lap();
    }

    /** What the packets since the last lap were like. */
    Lap lap() {
        long nowNs = System.nanoTime();
        long[] now = {
            bridge.stats.outbound(Metric.PACKETS),
            bridge.stats.outbound(Metric.LOOKUPS),
            bridge.stats.inbound(Metric.PACKETS),
            bridge.stats.inbound(Metric.LOOKUPS),
            bridge.stats.outbound(Metric.DROPPED) + bridge.stats.inbound(Metric.DROPPED)
        };
        Lap lap = new Lap(
                (nowNs - lapStartNs) / 1e9,
                Stream.of(recorders).map(Recorder::getIntervalHistogram).toArray(Histogram[]::new),
                IntStream.range(0, now.length)
                        .mapToLong(i -> now[i] - before[i])
                        .toArray());
        before = now;
        lapStartNs = nowNs;
        return lap;
    }

    private void run() {
        Flow flow = new Flow();
        try {
            for (long packet = 0; !closed; packet++) {
                waitWhilePaused();
                source.fill(flow, packet);
                if (packet % SAMPLE == 0) {
                    carryLookingUp(flow);
                } else {
                    carry(flow, source.isKnown(packet) ? Timed.OUT : Timed.STRANGER);
                }
                packets.lazySet(packet + 1);
                if (restNs > 0) {
                    LockSupport.parkNanos(restNs);
                }
            }
        } catch (RuntimeException e) {
            failure = e;
        }
    }

    private void carry(Flow flow, Timed timed) {
        bridge.offer(flow, packetBytes);
        long start = System.nanoTime();
        bridge.send();
        record(timed, start);
        if (bridge.turnRound()) {
            start = System.nanoTime();
            bridge.receive();
            record(Timed.IN, start);
        }
    }

    /** The lookups come before the packet does: what they touch is as cold as any packet finds it. */
    private void carryLookingUp(Flow flow) {
        long start = System.nanoTime();
        bridge.lookUpPolicy(flow);
        record(Timed.POLICY, start);
        bridge.offer(flow, packetBytes);
        bridge.send();
        if (bridge.turnRound()) {
            start = System.nanoTime();
            bridge.lookUpState();
            record(Timed.STATE, start);
            bridge.receive();
        }
    }

    private void record(Timed timed, long startNs) {
        recorders[timed.ordinal()].recordValue(System.nanoTime() - startNs);
    }

    private void waitWhilePaused() {
        while (pausing && !closed) {
            paused = true;
            LockSupport.park(this);
        }
        paused = false;
    }

    @Override
    public void close() {
        closed = true;
        LockSupport.unpark(thread);
        try {
            thread.join();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
