package org.xfrmbridge.daemon;

import org.xfrmbridge.datapath.PathContext;

/**
 * What the heap of this process is for: how many bytes things take that packets cause. Measured with ParallelGC and
 * small headers.
 */
public final class HeapSizes {
    /** In both directions: two places of the caches, and what is kept in them for flows through one State. */
    private static final int FLOW_BYTES = 1300;

    /** A larval State, its timer, and the flow that waits for it. */
    private static final int ACQUIRE_BYTES = 1100;

    /** Buffers for frames on their way and fragments that wait, at most. */
    private static final int BUFFER_BYTES = 8 << 20;

    private static final int SHARES_FOR_FLOWS = 8;

    private HeapSizes() {}

    /**
     * How many flows each thread remembers unless someone says: as many as usual, or what fits into an eighth of the
     * heap; a power of two.
     */
    public static int defaultFlows(int queues) {
        long fitting = Runtime.getRuntime().maxMemory() / SHARES_FOR_FLOWS / FLOW_BYTES / queues;
        return (int) Math.min(PathContext.DEFAULT_FLOWS, Long.highestOneBit(Math.max(1, fitting)));
    }

    /** What packets may come to take, once so many flows and acquires are there. */
    static long packetBytes(long flows, int acquires) {
        return bytes(flows, acquires) + BUFFER_BYTES;
    }

    /** The least heap for so many: half of it is for other things. */
    public static long heapBytes(long flows, int acquires) {
        return 2 * bytes(flows, acquires);
    }

    private static long bytes(long flows, int acquires) {
        return flows * FLOW_BYTES + (long) acquires * ACQUIRE_BYTES;
    }
}
