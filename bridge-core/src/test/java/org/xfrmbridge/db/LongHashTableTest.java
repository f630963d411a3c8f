package org.xfrmbridge.db;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;

import java.util.HashMap;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;

class LongHashTableTest {
    private final LongHashTable<Long> table = new LongHashTable<>(Long[]::new);

    @Test
    void shouldAnswerLikeAMapWhenKeysComeAndGo() {
        Random random = new Random(1);
        Map<Long, Long> model = new HashMap<>();
        for (int i = 0; i < 200_000; i++) {
            long key = 1 + random.nextInt(i % 20_000 < 10_000 ? 3000 : 30);
            if (model.containsKey(key) && random.nextBoolean()) {
                table.remove(key);
                model.remove(key);
            } else if (model.containsKey(key)) {
                table.replace(key, (long) i);
                model.put(key, (long) i);
            } else {
                table.add(key, (long) i);
                model.put(key, (long) i);
            }
            long asked = random.nextInt(3100);
            assertEquals(model.get(asked), table.get(asked));
        }
    }

    @Test
    void shouldShrinkWhenMostHaveGone() {
        for (long key = 1; key <= 10_000; key++) {
            table.add(key, key);
        }
        for (long key = 1; key <= 9_999; key++) {
            table.remove(key);
        }
        assertEquals(Hashing.LEAST_LENGTH, table.length());
        assertEquals(10_000, table.get(10_000));
    }

    @Test
    void shouldFindNothingByTheKeysOfEmptySlots() {
        table.add(7, 7L);
        table.remove(7);
        assertNull(table.get(0));
        assertNull(table.get(1L << 32));
        assertFalse(LongHashTable.isKey(0) || LongHashTable.isKey(1L << 32));
    }
}
