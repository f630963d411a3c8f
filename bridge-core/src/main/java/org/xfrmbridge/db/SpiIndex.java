package org.xfrmbridge.db;

import java.lang.invoke.VarHandle;
import org.xfrmbridge.xfrm.AddressFamily;
import org.xfrmbridge.xfrm.IpProtocol;
import org.xfrmbridge.xfrm.State;

/**
 * States by (Spi, daddr, protocol), the youngest first among those with the same three. Those of an IPv4 address whose
 * youngest fits every mark are found by a {@link LongHashTable}, which is nearly all; the others by their entries. The
 * control thread writes, any thread looks up.
 */
final class SpiIndex {
    private final LongHashTable<State> esp = new LongHashTable<>(State[]::new);
    private final LongHashTable<State> ah = new LongHashTable<>(State[]::new);
    private final LongHashTable<State> comp = new LongHashTable<>(State[]::new);
    private final HashTable<SadEntry> others = new HashTable<>();
    private volatile int returns;

    /** Null if none. Looks again if it may have missed one on its way from {@link #others} to a table of keys. */
    State lookup(long daddrHigh, long daddrLow, int spi, int kind, int mark) {
        LongHashTable<State> table = keyTable(kind);
        int seen;
        State found;
        do {
            seen = returns;
            found = table == null ? null : lookup(table.table(), key(daddrHigh, spi));
            if (found != null) {
                return found;
            }
            found = lookupOthers(daddrHigh, daddrLow, spi, kind, mark);
        } while (found == null && seen != returns);
        return found;
    }

    private static State lookup(LongHashTable.Table<State> table, long key) {
        int slot = table.find(key);
        State[] states = table.entries();
        State found = slot < 0 ? null : states[slot];
        VarHandle.acquireFence();
        return found;
    }

    private State lookupOthers(long daddrHigh, long daddrLow, int spi, int kind, int mark) {
        SadEntry youngest = youngestOfOthers(daddrHigh, daddrLow, spi, kind);
        return youngest == null ? null : youngest.youngestAlike(mark);
    }

    /** The youngest State of a key, or null. Control thread. */
    SadEntry youngest(long daddrHigh, long daddrLow, int spi, int kind) {
        LongHashTable<State> table = keyTable(kind);
        State state = table == null ? null : table.get(key(daddrHigh, spi));
        return state != null ? SadEntry.of(state) : youngestOfOthers(daddrHigh, daddrLow, spi, kind);
    }

    private SadEntry youngestOfOthers(long daddrHigh, long daddrLow, int spi, int kind) {
        int hash = hash(daddrHigh, daddrLow, spi, kind);
        HashTable.Table<SadEntry> table = others.table();
        for (int i = table.find(hash); i >= 0; i = table.findNext(i, hash)) {
            SadEntry entry = table.at(i);
            if (entry != null && entry.isNamed(daddrHigh, daddrLow, spi, kind)) {
                return entry;
            }
        }
        return null;
    }

    /** Number of slots of all tables. */
    int length() {
        return esp.length() + ah.length() + comp.length() + others.length();
    }

    void add(SadEntry entry) {
        SadEntry head = head(entry);
        entry.alike = head;
        replaceHead(head, entry);
    }

    void remove(SadEntry entry) {
        SadEntry head = head(entry);
        if (head == entry) {
            replaceHead(entry, entry.alike);
        } else {
            head.unlinkAlike(entry);
        }
    }

    /** Puts one of the same key instead of another; either may be null, for none. No lookup misses both. */
    private void replaceHead(SadEntry head, SadEntry successor) {
        boolean wasByKey = head != null && isByKey(head);
        boolean isByKey = successor != null && isByKey(successor);
        if (isByKey && wasByKey) {
            keyTable(successor.kind()).replace(key(successor), successor.state());
        } else if (isByKey) {
            keyTable(successor.kind()).add(key(successor), successor.state());
            returns += head == null ? 0 : 1;
        } else if (successor != null && (head == null || wasByKey)) {
            others.add(successor, hash(successor));
        }
        if (wasByKey && !isByKey) {
            keyTable(head.kind()).remove(key(head));
        } else if (head != null && !wasByKey && (successor == null || isByKey)) {
            others.remove(head, hash(head));
        } else if (head != null && !wasByKey) {
            others.replace(head, successor, hash(head));
        }
    }

    /** The youngest one with an entry's key, or null. */
    private SadEntry head(SadEntry entry) {
        LongHashTable<State> table = keyTable(entry.kind());
        State state = table == null ? null : table.get(key(entry));
        if (state != null) {
            // A State whose key changes has its new entry by now, and is still found by its old one.
            SadEntry known = SadEntry.of(state);
            return known.isAlike(entry) ? known : entry;
        }
        int hash = hash(entry);
        HashTable.Table<SadEntry> heads = others.table();
        for (int i = heads.find(hash); i >= 0; i = heads.findNext(i, hash)) {
            if (entry.isAlike(heads.at(i))) {
                return heads.at(i);
            }
        }
        return null;
    }

    private boolean isByKey(SadEntry entry) {
        return entry.fitsEveryMark() && keyTable(entry.kind()) != null;
    }

    private LongHashTable<State> keyTable(int kind) {
        return switch (kind) {
            case AddressFamily.INET << 8 | IpProtocol.ESP -> esp;
            case AddressFamily.INET << 8 | IpProtocol.AH -> ah;
            case AddressFamily.INET << 8 | IpProtocol.COMP -> comp;
            default -> null;
        };
    }

    private static long key(SadEntry entry) {
        return key(entry.group.daddrHigh, entry.spi);
    }

    /** Of an IPv4 address and a Spi; a Spi is never 0, nor is the key. */
    private static long key(long daddrHigh, int spi) {
        return daddrHigh | Integer.toUnsignedLong(spi);
    }

    private static int hash(SadEntry entry) {
        return hash(entry.group.daddrHigh, entry.group.daddrLow, entry.spi, entry.kind());
    }

    private static int hash(long daddrHigh, long daddrLow, int spi, int kind) {
        return Hashing.hash(daddrHigh ^ Integer.toUnsignedLong(spi), daddrLow ^ (long) kind << 48);
    }
}
