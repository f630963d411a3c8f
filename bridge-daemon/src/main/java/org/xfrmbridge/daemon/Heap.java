package org.xfrmbridge.daemon;

import java.lang.management.ManagementFactory;
import java.lang.management.MemoryPoolMXBean;
import java.lang.management.MemoryType;
import java.lang.management.MemoryUsage;
import java.util.List;

/** What a collector keeps what lives in, in bytes. */
interface Heap {
    /** Garbage included. */
    long usedBytes();

    /** What the latest collection has left of it. */
    long keptBytes();

    long maxBytes();

    /** What the heap has besides. */
    long youngBytes();

    /** Leaves no garbage. Stops all threads. */
    void collect();

    /**
     * That of this process: where objects are kept that have lived for some time, or all of it where that is the
     * smaller part.
     */
    static Heap ofProcess() {
        List<MemoryPoolMXBean> all = ManagementFactory.getMemoryPoolMXBeans().stream()
                .filter(pool -> pool.getType() == MemoryType.HEAP)
                .toList();
        long wholeBytes = Runtime.getRuntime().maxMemory();
        // Pools for young objects cannot be watched.
        MemoryPoolMXBean tenured = all.stream()
                .filter(MemoryPoolMXBean::isUsageThresholdSupported)
                .max((one, other) ->
                        Long.compare(one.getUsage().getMax(), other.getUsage().getMax()))
                .orElse(null);
        boolean larger = tenured != null && tenured.getUsage().getMax() >= wholeBytes / 2;
        return larger ? new Pools(List.of(tenured), tenured.getUsage().getMax()) : new Pools(all, wholeBytes);
    }

    /** Several of a collector's pools as one. */
    record Pools(List<MemoryPoolMXBean> pools, long maxBytes) implements Heap {
        @Override
        public long usedBytes() {
            long sum = 0;
            for (MemoryPoolMXBean pool : pools) {
                sum += pool.getUsage().getUsed();
            }
            return sum;
        }

        @Override
        public long keptBytes() {
            long sum = 0;
            for (MemoryPoolMXBean pool : pools) {
                MemoryUsage kept = pool.getCollectionUsage();
                sum += kept == null ? pool.getUsage().getUsed() : kept.getUsed();
            }
            return sum;
        }

        @Override
        public long youngBytes() {
            return Math.max(0, Runtime.getRuntime().maxMemory() - maxBytes);
        }

        @Override
        public void collect() {
            System.gc();
        }
    }
}
