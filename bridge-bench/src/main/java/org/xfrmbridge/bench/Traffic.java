package org.xfrmbridge.bench;

import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import org.HdrHistogram.Histogram;
import org.HdrHistogram.Recorder;
import org.xfrmbridge.datapath.Metric;
import org.xfrmbridge.xfrm.Flow;

/**
 * The packet thread of a {@link Site}: a packet of one flow after the other, sent and received, each way timed. {@link #lap} ends a stretch
 * and says what it was like.
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

    /**
     * Of one stretch: times in ns; packets that left, and their lookups; packets that came protected, and theirs.
     *
     * @param strangers packets of flows that were not known
     */
    record Lap(
            double seconds, Histogram out, Histogram in, Histogram strangers, long sent, long outLookups, long received, long inLookups, long dropped) {
        double packetsPerSecond() {
            return sent / seconds;
        }

        double outLookupsPerPacket() {
            return (double) outLookups / sent;
        }

        double inLookupsPerPacket() {
            return (double) inLookups / received;
        }
    }

    private static final long LONGEST_NS = 60_000_000_000L;

    private final Site site;
    private final Source source;
    private final int packetBytes;
    private final Recorder out = new Recorder(LONGEST_NS, 3);
    private final Recorder in = new Recorder(LONGEST_NS, 3);
    private final Recorder strangers = new Recorder(LONGEST_NS, 3);
    private final AtomicLong packets = new AtomicLong();
    private final Thread thread;
    private volatile boolean pausing = true;
    private volatile boolean paused;
    private volatile boolean closed;
    private volatile long restNs;
    private volatile RuntimeException failure;

    private long lapStartNs;
    private final long[] before = new long[5];

    /** Starts the thread, which waits for {@link #resume}. */
    Traffic(Site site, Source source, int packetBytes) {
        this.site = site;
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

    /** What the packets since the last lap were like. */
    Lap lap() {
        long nowNs = System.nanoTime();
        long[] now = {
            site.stats.outbound(Metric.PACKETS),
            site.stats.outbound(Metric.LOOKUPS),
            site.stats.inbound(Metric.PACKETS),
            site.stats.inbound(Metric.LOOKUPS),
            site.stats.outbound(Metric.DROPPED) + site.stats.inbound(Metric.DROPPED)
        };
        Lap lap = new Lap(
                (nowNs - lapStartNs) / 1e9, out.getIntervalHistogram(), in.getIntervalHistogram(), strangers.getIntervalHistogram(),
                now[0] - before[0], now[1] - before[1], now[2] - before[2], now[3] - before[3], now[4] - before[4]);
        System.arraycopy(now, 0, before, 0, now.length);
        lapStartNs = nowNs;
        return lap;
    }

    private void run() {
        Flow flow = new Flow();
        try {
            for (long packet = 0; !closed; packet++) {
                waitWhilePaused();
                source.fill(flow, packet);
                site.offer(flow, packetBytes);
                carry(source.isKnown(packet) ? out : strangers);
                packets.lazySet(packet + 1);
                if (restNs > 0) {
                    LockSupport.parkNanos(restNs);
                }
            }
        } catch (RuntimeException e) {
            failure = e;
        }
    }

    private void carry(Recorder recorder) {
        long start = System.nanoTime();
        site.send();
        recorder.recordValue(System.nanoTime() - start);
        if (site.turnRound()) {
            start = System.nanoTime();
            site.receive();
            in.recordValue(System.nanoTime() - start);
        }
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
