package org.xfrmbridge.db;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.function.Consumer;
import java.util.function.IntFunction;

/**
 * A hash table from 64-bit keys to references, for one writer and any number of readers that never wait: open
 * addressing with linear probing. The key alone decides: what is found is given back without being looked at, so that a
 * lookup waits for two reads of memory that do not depend on each other. {@link HashTable} is for everything that has
 * no such key.
 *
 * <p>Readers take one {@link #table}, and from it an array of the very class of the entries, as a cast of an entry
 * would read its header:
 *
 * <pre>{@code
 * LongHashTable.Table<State> table = keyTable.table();
 * int slot = table.find(key);
 * State[] states = table.entries();
 * State found = slot < 0 ? null : states[slot];
 * VarHandle.acquireFence();
 * }</pre>
 *
 * <p>A lookup is a few instructions long, as what counts is how many of them a processor has under way: it guesses that
 * the first slot is the one, and goes on to the next lookup while this one's memory is on its way. Guesses are wrong
 * for a third, yet what was asked of memory meanwhile has been asked.
 *
 * <p>A slot has one key in its life: what is read beside a key is never another's. A removed key's slot is used again
 * once the table has been rebuilt; a reader of the old table finds what was in it then.
 */
final class LongHashTable<E> {
    private static final VarHandle KEYS = MethodHandles.arrayElementVarHandle(long[].class);

    /** In no table: it is looked for so that the entries are on their way from memory together with the keys. */
    private static final Object NOBODY = new Object();

    private static final long EMPTY = 0;
    private static final long REMOVED = 1L << 32;

    private final IntFunction<E[]> arrays;
    private volatile Table<E> table;
    private int live;
    private int occupied;

    /** @param arrays makes an array that says what it holds: nothing found is ever asked for its class */
    LongHashTable(IntFunction<E[]> arrays) {
        this.arrays = arrays;
        table = new Table<>(Hashing.LEAST_LENGTH, arrays);
    }

    /** Two keys stand for slots without one. */
    static boolean isKey(long key) {
        return key != EMPTY && key != REMOVED;
    }

    /** What a reader searches. Any thread. */
    Table<E> table() {
        return table;
    }

    /** What has the key, or null. Writer only: a reader would wait for the entry's class. */
    E get(long key) {
        Table<E> current = table;
        int slot = current.find(key);
        return slot < 0 ? null : current.entries[slot];
    }

    /** Number of slots. */
    int length() {
        return table.keys.length;
    }

    /** Writer only: a key that is not there. The entry must be ready to be read. */
    void add(long key, E entry) {
        if (Hashing.isFull(occupied, length())) {
            rebuild(live + 1);
        }
        table.insert(key, entry);
        occupied++;
        live++;
    }

    /** Writer only: another entry for a key that is there. */
    void replace(long key, E successor) {
        Table<E> current = table;
        VarHandle.releaseFence();
        current.entries[current.find(key)] = successor;
    }

    /** Writer only: a key that is there. */
    void remove(long key) {
        clear(table.find(key));
    }

    /** Writer only. Whether the key was there with that entry, and has gone. */
    boolean remove(long key, E entry) {
        Table<E> current = table;
        int slot = current.find(key);
        boolean isThere = slot >= 0 && current.entries[slot] == entry;
        if (isThere) {
            clear(slot);
        }
        return isThere;
    }

    private void clear(int slot) {
        table.clear(slot);
        live--;
        if (Hashing.isSparse(live, length())) {
            rebuild(live);
        }
    }

    /** Writer only. */
    void forEach(Consumer<E> action) {
        Table<E> current = table;
        for (int i = 0; i < current.keys.length; i++) {
            if (isKey(current.keys[i])) {
                action.accept(current.entries[i]);
            }
        }
    }

    private void rebuild(int expected) {
        Table<E> old = table;
        Table<E> fresh = new Table<>(Hashing.length(expected), arrays);
        for (int i = 0; i < old.keys.length; i++) {
            if (isKey(old.keys[i])) {
                fresh.insert(old.keys[i], old.entries[i]);
            }
        }
        occupied = live;
        table = fresh;
    }

    /** Slots as they are published. One of them at least is always empty. */
    static final class Table<E> {
        private final long[] keys;
        private final E[] entries;

        private Table(int length, IntFunction<E[]> arrays) {
            keys = new long[length];
            entries = arrays.apply(length);
        }

        private static int home(long key) {
            return Hashing.fold(Hashing.mix(0, key));
        }

        /**
         * The slot of a key, or -1. The caller's fence makes the plain reads good: a key that is just being added may
         * or may not be found.
         */
        int find(long key) {
            long[] kept = keys;
            int mask = kept.length - 1;
            int slot = home(key) & mask;
            if (entries[slot] == NOBODY) {
                throw new IllegalStateException("nobody is in a table");
            }
            while (true) {
                long found = kept[slot];
                if (found == key) {
                    return slot;
                }
                if (found == EMPTY) {
                    return -1;
                }
                slot = slot + 1 & mask;
            }
        }

        /** By slot; null where a key has just been removed. */
        E[] entries() {
            return entries;
        }

        private void insert(long key, E entry) {
            int mask = keys.length - 1;
            int slot = home(key) & mask;
            while (keys[slot] != EMPTY) {
                slot = slot + 1 & mask;
            }
            entries[slot] = entry;
            KEYS.setRelease(keys, slot, key);
        }

        private void clear(int slot) {
            KEYS.setRelease(keys, slot, REMOVED);
            VarHandle.releaseFence();
            entries[slot] = null;
        }
    }
}
