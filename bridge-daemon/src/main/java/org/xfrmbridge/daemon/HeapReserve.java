package org.xfrmbridge.daemon;

import java.util.function.BooleanSupplier;
import java.util.function.LongSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.xfrmbridge.time.Clock;

/**
 * Keeps part of the heap free of States and Policies: for what packets may cause, and for the work on requests. What is
 * in use includes garbage. So when little seems left it is collected, once; if little is left then, as many entries as
 * there are is what fits, until a collection finds room. Whoever deletes may add again at once. One thread.
 */
final class HeapReserve {
    private static final Logger LOG = LoggerFactory.getLogger(HeapReserve.class);

    /** To ask for the use takes longer than an entry does. */
    private static final int ENTRIES_PER_LOOK = 64;

    /** Room for the growth of tables: this part of the heap. */
    private static final int PARTS = 16;

    /**
     * What a collection must find before more is taken than did fit, lest one follows the other: this part of the heap.
     */
    private static final int PARTS_TO_GAIN = 32;

    /**
     * While requests are refused it is collected again, in case something else has gone. It stops packets: so long
     * after, and a twentieth of the time at most.
     */
    private static final long PAUSE_NS = 5_000_000_000L;

    private static final int PAUSE_PER_COLLECTION = 20;

    private static final long UNKNOWN = Long.MAX_VALUE;

    private final Heap heap;
    private final LongSupplier entries;
    private final String refused;
    private final Clock clock;
    private final long mostBytes;
    private final long enoughBytes;
    private int asked;
    private long fitting = UNKNOWN;
    /** What the collection had left by which that was found. */
    private long judgedBytes;

    private long collectNs;

    /**
     * @param packetBytes what packets and clients without rights may come to take
     * @param entries how many there are of what is refused
     * @param refused what that is, for people
     */
    HeapReserve(Heap heap, long packetBytes, LongSupplier entries, String refused, Clock clock) {
        this.heap = heap;
        this.entries = entries;
        this.refused = refused;
        this.clock = clock;
        // What packets take may lie among what is young for a time. In a heap that is too small for it half is for
        // entries all the same.
        long reservedBytes = heap.maxBytes() / PARTS + Math.max(0, packetBytes - heap.youngBytes() / 4);
        mostBytes = Math.max(heap.maxBytes() - reservedBytes, heap.maxBytes() / 2);
        enoughBytes = mostBytes - heap.maxBytes() / PARTS_TO_GAIN;
    }

    /** For the control thread. @param entries how many States and Policies there are */
    static HeapReserve ofEntries(BridgeOptions options, LongSupplier entries, Clock clock) {
        long packetBytes = HeapSizes.packetBytes(options.allFlows(), options.acquires());
        return new HeapReserve(Heap.ofProcess(), packetBytes, entries, "SAs and policies are taken", clock);
    }

    /** For a datapath thread, which does not know how much others keep: while the heap is full, it is. */
    private static HeapReserve ofPackets(Clock clock) {
        return new HeapReserve(Heap.ofProcess(), 0, () -> 1, "SAs that were idle send or receive", clock);
    }

    /** The same for several datapath threads: each has one of its own. */
    static BooleanSupplier ofThreads(Clock clock) {
        ThreadLocal<HeapReserve> own = ThreadLocal.withInitial(() -> ofPackets(clock));
        return () -> own.get().hasRoom();
    }

    /** Whether memory is left for another entry. */
    boolean hasRoom() {
        if (asked++ % ENTRIES_PER_LOOK == 0 || !fits()) {
            look();
        }
        if (fits()) {
            return true;
        }
        if (clock.nowNs() - collectNs >= 0) {
            collect();
        }
        return fits();
    }

    private boolean fits() {
        return fitting == UNKNOWN || entries.getAsLong() < fitting;
    }

    private void look() {
        long usedBytes = heap.usedBytes();
        if (fitting == UNKNOWN) {
            if (usedBytes >= mostBytes) {
                collect();
            }
        } else if (usedBytes < enoughBytes) {
            fitting = UNKNOWN;
        } else if (heap.keptBytes() >= mostBytes && heap.keptBytes() != judgedBytes) {
            // What has come instead of what was deleted is larger.
            judge();
        }
    }

    private void collect() {
        long startNs = clock.nowNs();
        heap.collect();
        long nowNs = clock.nowNs();
        collectNs = nowNs + Math.max(PAUSE_NS, PAUSE_PER_COLLECTION * (nowNs - startNs));
        judge();
    }

    private void judge() {
        judgedBytes = heap.keptBytes();
        if (judgedBytes < enoughBytes) {
            fitting = UNKNOWN;
            return;
        }
        if (fitting == UNKNOWN) {
            LOG.warn("the heap is full: no more {} until some are deleted; -Xmx gives it more", refused);
        }
        fitting = Math.min(fitting, entries.getAsLong());
    }
}
