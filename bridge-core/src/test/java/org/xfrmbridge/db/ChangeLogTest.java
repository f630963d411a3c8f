package org.xfrmbridge.db;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;

import org.junit.jupiter.api.Test;

class ChangeLogTest {
    private static final int KEPT = 8;

    private final ChangeLog<String> log = new ChangeLog<>(2, KEPT);

    @Test
    void shouldLeadFromChangeToChangeOfOneStripe() {
        log.add(0, "a");
        log.add(1, "b");
        log.add(0, "c");
        assertEquals(3, log.number());
        assertEquals(3, log.latest(0));
        assertEquals("c", log.get(3));
        assertEquals(1, log.before(3));
        assertEquals("a", log.get(1));
        assertEquals(0, log.before(1));
        assertEquals(2, log.latest(1));
        assertEquals("b", log.get(2));
        assertEquals(0, log.before(2));
    }

    /** The slot of the next one is written before it is counted: what is there now may be gone. */
    @Test
    void shouldKeepAllButTheLastThatMayBeOverwritten() {
        for (int i = 1; i <= 3 * KEPT; i++) {
            log.add(i % 2, "change " + i);
            for (int j = 1; j <= i; j++) {
                if (i - j < KEPT - 1) {
                    assertEquals("change " + j, log.get(j));
                    assertEquals(Math.max(0, j - 2), log.before(j));
                } else {
                    assertNull(log.get(j));
                }
            }
        }
        assertEquals(3 * KEPT - 1, log.latest(1), "however long ago");
    }
}
