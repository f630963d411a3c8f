package org.xfrmbridge.datapath;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.concurrent.atomic.AtomicReference;

/** Counters of one datapath thread: only it writes, any thread reads. A number read is whole and recent. */
public final class PathCounters {
    private static final VarHandle ELEMENT = MethodHandles.arrayElementVarHandle(long[].class);

    private final long[] drops = new long[DropReason.ALL.length];
    private final long[] metrics = new long[Metric.ALL.length];
    private final AtomicReference<Throwable> fault = new AtomicReference<>();

    void drop(DropReason reason) {
        int index = reason.ordinal();
        ELEMENT.setOpaque(drops, index, drops[index] + 1);
        add(Metric.DROPPED, 1);
    }

    /** A fault of this program has cost a frame. It is kept for {@link #takeFault}: nobody writes about it here. */
    void fault(Throwable latest) {
        drop(DropReason.FAULT);
        fault.set(latest);
    }

    /** The latest fault since this was asked last, or null. Any thread. */
    Throwable takeFault() {
        return fault.getAndSet(null);
    }

    void add(Metric metric, long amount) {
        int index = metric.ordinal();
        ELEMENT.setOpaque(metrics, index, metrics[index] + amount);
    }

    void set(Metric metric, long value) {
        ELEMENT.setOpaque(metrics, metric.ordinal(), value);
    }

    public long get(DropReason reason) {
        return (long) ELEMENT.getOpaque(drops, reason.ordinal());
    }

    public long get(Metric metric) {
        return (long) ELEMENT.getOpaque(metrics, metric.ordinal());
    }
}
