package org.xfrmbridge.db;

import java.util.function.Consumer;
import java.util.function.Predicate;

/**
 * All entries of a database in the order a dump shows them, the youngest first: the kernel's {@code state_all} and
 * {@code policy_all}. A walk survives every change: an entry that goes keeps its link to the older ones, and new ones
 * only come at the head, behind the walk. Control thread only.
 */
final class WalkList<T> {
    private WalkEntry<T> newest;
    private int size;

    int size() {
        return size;
    }

    void add(WalkEntry<T> entry) {
        entry.older = newest;
        if (newest != null) {
            newest.newer = entry;
        }
        newest = entry;
        size++;
    }

    void remove(WalkEntry<T> entry) {
        link(entry.newer, entry.older);
        entry.newer = entry;
        size--;
    }

    /** Puts one entry where another is in the order. */
    void replace(WalkEntry<T> entry, WalkEntry<T> successor) {
        link(entry.newer, successor);
        link(successor, entry.older);
        entry.newer = entry;
    }

    private void link(WalkEntry<T> newer, WalkEntry<T> older) {
        if (newer == null) {
            newest = older;
        } else {
            newer.older = older;
        }
        if (older != null) {
            older.newer = newer;
        }
    }

    /** The youngest first; the consumer may remove the one that it is given. */
    void forEach(Consumer<WalkEntry<T>> consumer) {
        for (WalkEntry<T> entry = newest; entry != null; entry = entry.older) {
            consumer.accept(entry);
        }
    }

    Dump<T> walk(Predicate<T> filter) {
        return new Walk(filter);
    }

    private final class Walk implements Dump<T> {
        private final Predicate<T> filter;
        private WalkEntry<T> last;
        private boolean ended;

        Walk(Predicate<T> filter) {
            this.filter = filter;
        }

        @Override
        public T next() {
            if (ended) {
                return null;
            }
            WalkEntry<T> entry = last == null ? newest : last.older;
            while (entry != null && (entry.isGone() || !filter.test(entry.value()))) {
                entry = entry.older;
            }
            last = entry;
            ended = entry == null;
            return ended ? null : entry.value();
        }
    }
}
