package org.xfrmbridge.db;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.function.IntFunction;

/**
 * A hash table from 64-bit keys to references, for one writer and any number of readers that never wait. The key alone decides: what is found
 * is given back without being looked at, so that a lookup waits for two reads of memory that do not depend on each other. {@link Slots}
 * is for everything that has no such key.
 *
 * <p>Readers take one {@link #table}, and from it an array of the very class of the entries, as a cast of an entry would read its header:
 * <pre>{@code
 * KeyTable.Table<State> table = keyTable.table();
 * int slot = table.find(key);
 * State[] states = table.entries();
 * State found = slot < 0 ? null : states[slot];
 * VarHandle.acquireFence();
 * }</pre>
 *
 * <p>Slots are in groups of four whose keys are compared at once, without branches: a processor that guesses right goes on to the next
 * lookup while this one's memory is on its way.
 *
 * <p>A slot has one key in its life: what is read beside a key is never another's. A removed key's slot is used again once the table has
 * been rebuilt; a reader of the old table finds what was in it then.
 */
final class KeyTable<E> {
    private static final VarHandle KEYS = MethodHandles.arrayElementVarHandle(long[].class);
    /** In no table: it is looked for so that the entries are on their way from memory together with the keys. */
    private static final Object NOBODY = new Object();

    private static final long EMPTY = 0;
    private static final long REMOVED = 1L << 32;
    private static final int GROUP = 4;
    private static final int LEAST_LENGTH = 16;

    /** The header of a large array ends 16 bytes behind the start of a cache line: so no group lies across two. */
    private static final int START = 2;

    private final IntFunction<E[]> arrays;
    private volatile Table<E> table;
    private int live;
    private int occupied;

    /** @param arrays makes an array that says what it holds: nothing found is ever asked for its class */
    KeyTable(IntFunction<E[]> arrays) {
        this.arrays = arrays;
        table = new Table<>(LEAST_LENGTH, arrays);
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
        return table.mask + 1;
    }

    /** Writer only: a key that is not there. The entry must be ready to be read. */
    void add(long key, E entry) {
        if (3 * (occupied + 1) > 2 * length()) {
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
        table.clear(key);
        live--;
        if (length() > LEAST_LENGTH && 16 * live < length()) {
            rebuild(live);
        }
    }

    /** Writer only. */
    void clear() {
        live = 0;
        occupied = 0;
        table = new Table<>(LEAST_LENGTH, arrays);
    }

    private void rebuild(int expected) {
        int length = LEAST_LENGTH;
        while (length < 2L * expected) {
            length *= 2;
        }
        Table<E> old = table;
        Table<E> fresh = new Table<>(length, arrays);
        for (int i = START; i < old.keys.length; i++) {
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
        private final int mask;

        private Table(int length, IntFunction<E[]> arrays) {
            keys = new long[START + length];
            entries = arrays.apply(START + length);
            mask = length - 1;
        }

        private int home(long key) {
            return Hashing.fold(Hashing.mix(0, key)) & mask & -GROUP;
        }

        /** The slot of a key, or -1. A group fills from its first slot on, so that its last one tells whether there is another. */
        int find(long key) {
            long[] kept = keys;
            int group = home(key);
            while (true) {
                int at = START + group;
                if (entries[at] == NOBODY) {
                    throw new IllegalStateException("nobody is in a table");
                }
                long last = (long) KEYS.getAcquire(kept, at + 3);
                long differs0 = isNotZero((long) KEYS.getAcquire(kept, at) ^ key);
                long differs1 = isNotZero((long) KEYS.getAcquire(kept, at + 1) ^ key);
                long differs2 = isNotZero((long) KEYS.getAcquire(kept, at + 2) ^ key);
                if ((differs0 & differs1 & differs2 & isNotZero(last ^ key)) == 0) {
                    return at + (int) (differs0 * (1 + differs1 * (1 + differs2)));
                }
                if (last == EMPTY) {
                    return -1;
                }
                group = group + GROUP & mask;
            }
        }

        /** By slot; null where a key has just been removed. */
        E[] entries() {
            return entries;
        }

        /** 1 or 0. */
        private static long isNotZero(long number) {
            return (number | -number) >>> Long.SIZE - 1;
        }

        private void insert(long key, E entry) {
            int group = home(key);
            while (keys[START + group + GROUP - 1] != EMPTY) {
                group = group + GROUP & mask;
            }
            int slot = START + group;
            while (keys[slot] != EMPTY) {
                slot++;
            }
            entries[slot] = entry;
            KEYS.setRelease(keys, slot, key);
        }

        private void clear(long key) {
            int slot = find(key);
            KEYS.setRelease(keys, slot, REMOVED);
            entries[slot] = null;
        }
    }
}
