package org.xfrmbridge.db;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Test;

class HashingTest {
    /** What {@code docs/performance.md} says of tables of a thousand entries beside those of a million rests on it. */
    @Test
    void shouldFillTablesAlikeWhenTheyHaveAThousandEntriesOrAMillion() {
        assertEquals(1 << 11, grown(1000));
        assertEquals(1 << 21, grown(1_000_000));
    }

    /** The length of a table that entries have come to one by one. */
    private static int grown(int entries) {
        int length = Hashing.LEAST_LENGTH;
        for (int occupied = 0; occupied < entries; occupied++) {
            if (Hashing.isFull(occupied, length)) {
                length = Hashing.length(occupied + 1);
            }
        }
        return length;
    }
}
