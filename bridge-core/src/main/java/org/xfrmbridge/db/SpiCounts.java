package org.xfrmbridge.db;

/**
 * How many States have a Spi, of each protocol, whatever their destinations: a table of counts by open addressing.
 * Control thread only.
 */
final class SpiCounts {
    /** A Spi and its protocol; 0 where nothing has been, as no State is counted for Spi 0. */
    private long[] names = new long[Hashing.LEAST_LENGTH];

    private int[] counts = new int[Hashing.LEAST_LENGTH];
    /** Names, also those whose count has come down to 0. */
    private int named;

    private int used;

    boolean has(int spi, int protocol) {
        return counts[find(name(spi, protocol))] != 0;
    }

    void add(int spi, int protocol) {
        long name = name(spi, protocol);
        int at = find(name);
        if (names[at] == 0) {
            if (Hashing.isFull(named, names.length)) {
                rebuild(used + 1);
                at = find(name);
            }
            names[at] = name;
            named++;
        }
        if (counts[at]++ == 0) {
            used++;
        }
    }

    void remove(int spi, int protocol) {
        if (--counts[find(name(spi, protocol))] > 0) {
            return;
        }
        used--;
        if (Hashing.isSparse(used, names.length)) {
            rebuild(used);
        }
    }

    private static long name(int spi, int protocol) {
        return (long) protocol << Integer.SIZE | Integer.toUnsignedLong(spi);
    }

    /** Where a name is, or is to be. */
    private int find(long name) {
        int mask = names.length - 1;
        int at = Hashing.fold(name) & mask;
        while (names[at] != name && names[at] != 0) {
            at = at + 1 & mask;
        }
        return at;
    }

    private void rebuild(int expected) {
        int length = Hashing.length(expected);
        long[] oldNames = names;
        int[] oldCounts = counts;
        names = new long[length];
        counts = new int[length];
        named = used;
        for (int i = 0; i < oldNames.length; i++) {
            if (oldCounts[i] != 0) {
                int at = find(oldNames[i]);
                names[at] = oldNames[i];
                counts[at] = oldCounts[i];
            }
        }
    }
}
