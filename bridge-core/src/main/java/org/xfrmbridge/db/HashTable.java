package org.xfrmbridge.db;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.function.Consumer;

/**
 * A hash table of references for one writer and any number of readers that never wait: open addressing with linear
 * probing, the hashes in an array of their own. A probe reads only hashes until one is equal, so that misses touch no
 * entry, and growth copies the table without looking at the entries.
 *
 * <p>Readers take one {@link #table} and probe it to the end:
 *
 * <pre>{@code
 * HashTable.Table<E> table = entries.table();
 * for (int i = table.find(hash); i >= 0; i = table.findNext(i, hash)) {
 *     E entry = table.at(i);
 *     if (entry != null && isTheOne(entry)) ...
 * }
 * }</pre>
 *
 * An entry that is there during the whole probe is found, also while the table grows: a table that was grown is left as
 * it was. Entries of equal keys are the user's to avoid or to chain.
 */
final class HashTable<E> {
    private static final VarHandle HASHES = MethodHandles.arrayElementVarHandle(int[].class);
    private static final VarHandle ENTRIES = MethodHandles.arrayElementVarHandle(Object[].class);
    private static final int EMPTY = 0;
    private static final int REMOVED = 1;

    private volatile Table<E> table = new Table<>(Hashing.LEAST_LENGTH);
    private int live;
    private int occupied;

    /** What a reader probes. Any thread. */
    Table<E> table() {
        return table;
    }

    int size() {
        return live;
    }

    /** Number of slots. */
    int length() {
        return table.hashes.length;
    }

    /** Writer only. The entry must be ready to be read. */
    void add(E entry, int hash) {
        if (Hashing.isFull(occupied, length())) {
            rebuild(live + 1);
        }
        if (table.insert(entry, tag(hash))) {
            occupied++;
        }
        live++;
    }

    /** Writer only: puts an entry of the same hash in the slot of another. */
    void replace(E entry, E successor, int hash) {
        Table<E> current = table;
        ENTRIES.setRelease(current.entries, current.indexOf(entry, tag(hash)), successor);
    }

    /** Writer only. */
    void remove(E entry, int hash) {
        Table<E> current = table;
        occupied -= current.clear(current.indexOf(entry, tag(hash)));
        live--;
        if (Hashing.isSparse(live, length())) {
            rebuild(live);
        }
    }

    /** Writer only. */
    void clear() {
        live = 0;
        occupied = 0;
        table = new Table<>(Hashing.LEAST_LENGTH);
    }

    /** Writer only. */
    void forEach(Consumer<E> action) {
        Table<E> current = table;
        for (int i = 0; i < length(); i++) {
            E entry = current.at(i);
            if (entry != null) {
                action.accept(entry);
            }
        }
    }

    private void rebuild(int expected) {
        Table<E> old = table;
        Table<E> fresh = new Table<>(Hashing.length(expected));
        for (int i = 0; i < old.hashes.length; i++) {
            E entry = old.at(i);
            if (entry != null) {
                fresh.insert(entry, old.hashes[i]);
            }
        }
        occupied = live;
        table = fresh;
    }

    /** The hash as it is kept: two values mean something else. */
    private static int tag(int hash) {
        return hash == EMPTY || hash == REMOVED ? hash + 2 : hash;
    }

    /** Slots as they are published: the arrays never change their length, one of them always has an empty slot. */
    static final class Table<E> {
        private final int[] hashes;
        private final Object[] entries;

        private Table(int length) {
            hashes = new int[length];
            entries = new Object[length];
        }

        /** The first slot with this hash, or -1. */
        int find(int hash) {
            return probe(tag(hash) & hashes.length - 1, tag(hash));
        }

        /** The next one after {@code slot}, or -1. */
        int findNext(int slot, int hash) {
            return probe(slot + 1 & hashes.length - 1, tag(hash));
        }

        private int probe(int start, int tag) {
            int[] kept = hashes;
            int mask = kept.length - 1;
            for (int i = start; ; i = i + 1 & mask) {
                int found = (int) HASHES.getAcquire(kept, i);
                if (found == tag) {
                    return i;
                }
                if (found == EMPTY) {
                    return -1;
                }
            }
        }

        /**
         * What is in a slot that was found: null if it has just been removed, and another entry if it was used again.
         */
        @SuppressWarnings("unchecked")
        E at(int slot) {
            return (E) ENTRIES.getAcquire(entries, slot);
        }

        private int indexOf(E entry, int tag) {
            int mask = hashes.length - 1;
            for (int i = tag & mask; ; i = i + 1 & mask) {
                if (entries[i] == entry) {
                    return i;
                }
                if (hashes[i] == EMPTY) {
                    throw new IllegalStateException("not in the table: " + entry);
                }
            }
        }

        /** Whether an empty slot was taken, and not that of a removed entry. */
        private boolean insert(E entry, int tag) {
            int mask = hashes.length - 1;
            int i = tag & mask;
            while (hashes[i] != EMPTY && hashes[i] != REMOVED) {
                i = i + 1 & mask;
            }
            boolean wasEmpty = hashes[i] == EMPTY;
            ENTRIES.setRelease(entries, i, entry);
            HASHES.setRelease(hashes, i, tag);
            return wasEmpty;
        }

        /** Clears a slot; at the end of a run it and the removed ones before it become empty. Returns how many did. */
        private int clear(int slot) {
            int mask = hashes.length - 1;
            HASHES.setRelease(hashes, slot, REMOVED);
            ENTRIES.setRelease(entries, slot, null);
            if (hashes[slot + 1 & mask] != EMPTY) {
                return 0;
            }
            int emptied = 0;
            for (int i = slot; hashes[i] == REMOVED; i = i - 1 & mask) {
                HASHES.setRelease(hashes, i, EMPTY);
                emptied++;
            }
            return emptied;
        }
    }
}
