package org.xfrmbridge.daemon;

import java.lang.management.ManagementFactory;
import java.lang.management.MemoryPoolMXBean;
import java.lang.management.MemoryType;
import java.lang.management.MemoryUsage;
import java.util.Comparator;

/** Where a collector keeps what has lived for some time, in bytes. */
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

    /** That of this process. */
    static Heap ofProcess() {
        return new TenuredPool();
    }

    /** Of the pools that can be watched, which those for young objects can not, the largest. */
    final class TenuredPool implements Heap {
        private final MemoryPoolMXBean pool = ManagementFactory.getMemoryPoolMXBeans().stream()
                .filter(each -> each.getType() == MemoryType.HEAP && each.isUsageThresholdSupported())
                .max(Comparator.comparingLong(each -> each.getUsage().getMax()))
                .orElseThrow();

        @Override
        public long usedBytes() {
            return pool.getUsage().getUsed();
        }

        @Override
        public long keptBytes() {
            MemoryUsage kept = pool.getCollectionUsage();
            return kept == null ? usedBytes() : kept.getUsed();
        }

        @Override
        public long maxBytes() {
            long max = pool.getUsage().getMax();
            return max > 0 ? max : Runtime.getRuntime().maxMemory();
        }

        @Override
        public long youngBytes() {
            return Math.max(0, Runtime.getRuntime().maxMemory() - maxBytes());
        }

        @Override
        public void collect() {
            System.gc();
        }
    }
}
