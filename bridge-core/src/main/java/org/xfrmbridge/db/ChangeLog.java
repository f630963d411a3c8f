package org.xfrmbridge.db;

import java.util.concurrent.atomic.AtomicIntegerArray;
import java.util.concurrent.atomic.AtomicReferenceArray;

/**
 * The latest changes of a database, numbered, in stripes: who remembers the number of his last look can go through what has changed since, and
 * tell whether any of it is his concern. Bounded: of each stripe the latest ones are kept, and who comes too late for one, or is overtaken while he reads,
 * is told so.
 *
 * <p>One thread adds, any thread reads and never waits. A change is added after it can be seen in the database: who reads its number finds it there.
 */
final class ChangeLog<T> {
    private final int depth;
    private final AtomicIntegerArray numbers;
    private final AtomicReferenceArray<Change<T>> latest;

    /** Never changes: one that was overwritten is known by its number. */
    private record Change<T>(int number, T what) {}

    /** @param stripes how many @param depth of each, how many changes are kept; both powers of two */
    ChangeLog(int stripes, int depth) {
        this.depth = depth;
        numbers = new AtomicIntegerArray(stripes);
        latest = new AtomicReferenceArray<>(stripes * depth);
    }

    /** Of the latest change. It may come round again after 2^32. */
    int number(int stripe) {
        return numbers.getAcquire(stripe);
    }

    /** The change with a number, or null if it is not there any more. */
    T get(int stripe, int number) {
        Change<T> change = latest.getAcquire(place(stripe, number));
        return change != null && change.number == number ? change.what : null;
    }

    void add(int stripe, T what) {
        int number = numbers.getPlain(stripe) + 1;
        latest.setRelease(place(stripe, number), new Change<>(number, what));
        numbers.setRelease(stripe, number);
    }

    /** All earlier looks at the stripe were too long ago. */
    void outdate(int stripe) {
        numbers.setRelease(stripe, numbers.getPlain(stripe) + depth + 1);
    }

    private int place(int stripe, int number) {
        return stripe * depth + (number & depth - 1);
    }
}
