package org.xfrmbridge.db;

/**
 * States by (saddr, daddr, protocol), for protocols without Spi; the youngest first among those with the same three.
 * The control thread writes, any thread looks up.
 */
final class SourceIndex {
    private final HashTable<SadEntry> heads = new HashTable<>();

    /** The youngest State of a key, or null. */
    SadEntry youngest(long saddrHigh, long saddrLow, long daddrHigh, long daddrLow, int kind) {
        int hash = SadEntry.sourceHash(saddrHigh, saddrLow, daddrHigh ^ daddrLow, kind);
        HashTable.Table<SadEntry> table = heads.table();
        for (int i = table.find(hash); i >= 0; i = table.findNext(i, hash)) {
            SadEntry entry = table.at(i);
            if (entry != null && entry.isBetween(saddrHigh, saddrLow, daddrHigh, daddrLow, kind)) {
                return entry;
            }
        }
        return null;
    }

    void add(SadEntry entry) {
        SadEntry head = chain(entry);
        entry.alike = head;
        if (head == null) {
            heads.add(entry, entry.sourceHash());
        } else {
            heads.replace(head, entry, entry.sourceHash());
        }
    }

    void remove(SadEntry entry) {
        SadEntry head = chain(entry);
        if (head != entry) {
            head.unlinkAlike(entry);
        } else if (entry.alike != null) {
            heads.replace(entry, entry.alike, entry.sourceHash());
        } else {
            heads.remove(entry, entry.sourceHash());
        }
    }

    private SadEntry chain(SadEntry entry) {
        int hash = entry.sourceHash();
        HashTable.Table<SadEntry> table = heads.table();
        for (int i = table.find(hash); i >= 0; i = table.findNext(i, hash)) {
            if (entry.isAlike(table.at(i))) {
                return table.at(i);
            }
        }
        return null;
    }
}
