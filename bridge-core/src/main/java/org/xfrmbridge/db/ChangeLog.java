package org.xfrmbridge.db;

import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicLongArray;
import java.util.concurrent.atomic.AtomicReferenceArray;

/**
 * The latest changes of a database, numbered from 1, each in one of many stripes. Who remembers the number of the
 * latest change at his last look sees by one number that nothing has come since, by one for each of his stripes that
 * nothing has come there, and else goes back through what came there, from change to change before it:
 *
 * <pre>
 *  changes    ... 41  42  43  44  45  46        latest of stripe A: 45
 *  stripe          A   B   A   C   A   B        before 45: 43, before 43: 41
 * </pre>
 *
 * <p>Bounded: of all stripes together the latest changes are kept, and who comes too late for one, or is overtaken
 * while he reads, is told so.
 *
 * <p>One thread adds, any thread reads and never waits. A change is added after it can be seen in the database: who
 * reads its number finds it there.
 */
class ChangeLog<T> {
    private final int kept;
    private final AtomicReferenceArray<T> changes;
    private final AtomicLongArray befores;
    private final AtomicLongArray latest;
    private final AtomicLong number = new AtomicLong();

    /** @param stripes how many @param kept how many changes; both powers of two */
    ChangeLog(int stripes, int kept) {
        this.kept = kept;
        changes = new AtomicReferenceArray<>(kept);
        befores = new AtomicLongArray(kept);
        latest = new AtomicLongArray(stripes);
    }

    /** Of the latest change, 0 before the first. Whoever has read it sees that change in its stripe. */
    long number() {
        return number.getAcquire();
    }

    /** The number of a stripe's latest change, or 0. */
    long latest(int stripe) {
        return latest.getAcquire(stripe);
    }

    /** The number of the change before one, in the same stripe, or 0: if {@link #get} finds that one afterwards. */
    long before(long change) {
        return befores.getAcquire(slot(change));
    }

    /** The change with a number, or null if it is not kept any more. */
    T get(long change) {
        T found = changes.getAcquire(slot(change));
        // The one that takes its slot is written before it is counted, so the last that may be there is not believed.
        return number.getAcquire() - change < kept - 1 ? found : null;
    }

    /** @param change null for one that concerns all who look at the stripe */
    void add(int stripe, T change) {
        long next = number.getPlain() + 1;
        befores.setRelease(slot(next), latest.getPlain(stripe));
        changes.setRelease(slot(next), change);
        latest.setRelease(stripe, next);
        number.setRelease(next);
    }

    private int slot(long change) {
        return (int) change & kept - 1;
    }
}
