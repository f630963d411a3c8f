package org.xfrmbridge.datapath;

import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Predicate;

/**
 * Somebody who sees packets as the datapath handles them: those that a filter lets through, up to a bound. Who reads
 * too slowly loses the rest and is told how many that were. Datapath threads write and never wait; one thread reads.
 */
public final class PacketWatch {
    private final Scope scope;
    private final Predicate<PacketRecord> filter;
    private final int capacity;
    private final Queue<PacketRecord> waiting = new ConcurrentLinkedQueue<>();
    private final AtomicInteger count = new AtomicInteger();
    private final AtomicLong lost = new AtomicLong();

    /** What is to be seen at all. */
    public enum Scope {
        /** Drops, and what comes by a NAT's other mapping: what is answered goes to the old one. */
        DROPS,
        ALL,
        /** All, and the bytes of frames as they come and go. */
        ALL_WITH_FRAMES
    }

    /**
     * @param filter is asked on datapath threads
     * @param capacity how many wait to be read
     */
    public PacketWatch(Scope scope, Predicate<PacketRecord> filter, int capacity) {
        this.scope = scope;
        this.filter = filter;
        this.capacity = capacity;
    }

    Scope scope() {
        return scope;
    }

    /** Datapath threads. */
    void offer(PacketRecord packet) {
        if (scope == Scope.DROPS && !packet.isDropped() && packet.moved() == null || !filter.test(packet)) {
            return;
        }
        if (count.get() >= capacity) {
            lost.incrementAndGet();
            return;
        }
        count.incrementAndGet();
        waiting.add(packet);
    }

    /** The next one, or null. */
    public PacketRecord poll() {
        PacketRecord next = waiting.poll();
        if (next != null) {
            count.decrementAndGet();
        }
        return next;
    }

    /** How many were lost since this was asked last. */
    public long takeLost() {
        return lost.getAndSet(0);
    }
}
