package org.xfrmbridge.db;

/**
 * States by the number of the ACQUIRE they answer, the youngest first among those with the same. Control thread only.
 */
final class SequenceIndex {
    private final HashTable<SadEntry> heads = new HashTable<>();

    /** The youngest; {@link SadEntry#alikeInSequence} leads to the others. Null if none. */
    SadEntry chain(int sequence) {
        int hash = Hashing.fold(sequence);
        HashTable.Table<SadEntry> table = heads.table();
        for (int i = table.find(hash); i >= 0; i = table.findNext(i, hash)) {
            SadEntry entry = table.at(i);
            if (entry != null && entry.sequence == sequence) {
                return entry;
            }
        }
        return null;
    }

    void add(SadEntry entry) {
        int hash = Hashing.fold(entry.sequence);
        SadEntry head = chain(entry.sequence);
        entry.alikeInSequence = head;
        if (head == null) {
            heads.add(entry, hash);
        } else {
            heads.replace(head, entry, hash);
        }
    }

    void remove(SadEntry entry) {
        int hash = Hashing.fold(entry.sequence);
        SadEntry head = chain(entry.sequence);
        if (head != entry) {
            while (head.alikeInSequence != entry) {
                head = head.alikeInSequence;
            }
            head.alikeInSequence = entry.alikeInSequence;
        } else if (entry.alikeInSequence != null) {
            heads.replace(entry, entry.alikeInSequence, hash);
        } else {
            heads.remove(entry, hash);
        }
    }
}
