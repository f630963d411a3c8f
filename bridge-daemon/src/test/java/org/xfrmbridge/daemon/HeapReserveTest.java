package org.xfrmbridge.daemon;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;
import org.xfrmbridge.time.ManualClock;

class HeapReserveTest {
    private static final int MAX_BYTES = 1_600_000;
    private static final int PACKET_BYTES = 100_000;
    private static final int ENTRY_BYTES = 1000;

    /** Each entry takes as much, and leaves as much garbage when it goes. */
    private final class TestHeap implements Heap {
        private long garbageBytes;
        private long otherBytes;
        private long kept;
        private int collections;

        @Override
        public long usedBytes() {
            return entries * ENTRY_BYTES + otherBytes + garbageBytes;
        }

        @Override
        public long keptBytes() {
            return kept;
        }

        @Override
        public long maxBytes() {
            return MAX_BYTES;
        }

        @Override
        public long youngBytes() {
            return 0;
        }

        @Override
        public void collect() {
            garbageBytes = 0;
            collections++;
            kept = usedBytes();
        }
    }

    private long entries;
    private final TestHeap heap = new TestHeap();
    private final ManualClock clock = new ManualClock();
    private final HeapReserve reserve = new HeapReserve(heap, PACKET_BYTES, () -> entries, "entries", clock);

    private void add(int count) {
        for (int i = 0; i < count; i++) {
            assertTrue(reserve.hasRoom(), "entry " + entries);
            entries++;
        }
    }

    private void delete(int count) {
        entries -= count;
        heap.garbageBytes += count * ENTRY_BYTES;
    }

    private void fill() {
        while (reserve.hasRoom()) {
            entries++;
        }
    }

    @Test
    void shouldKeepWhatPacketsMayCauseAndASixteenthForTables() {
        fill();
        assertTrue(entries >= 1400 && entries < 1400 + 64, "entries: " + entries);
        assertEquals(1, heap.collections);
    }

    @Test
    void shouldTakeAsManyAsWereDeletedWithoutACollection() {
        fill();
        delete(500);
        add(500);
        assertFalse(reserve.hasRoom());
        delete(1);
        add(1);
        assertFalse(reserve.hasRoom());
        assertEquals(1, heap.collections);
    }

    @Test
    void shouldNotTakeGarbageForEntries() {
        for (int i = 0; i < 100; i++) {
            add(400);
            delete(400);
        }
        assertTrue(heap.collections > 10, "collections: " + heap.collections);
    }

    @Test
    void shouldTakeMoreOnceACollectionOfAnybodysHasFoundRoom() {
        heap.otherBytes = 700_000;
        fill();
        long before = entries;
        heap.otherBytes = 0;
        heap.collect();
        fill();
        assertTrue(entries >= before + 700, before + " and then " + entries);
    }

    @Test
    void shouldLookForRoomAgainAfterAWhile() {
        heap.otherBytes = 700_000;
        fill();
        heap.otherBytes = 0;
        heap.garbageBytes = 700_000;
        assertFalse(reserve.hasRoom());
        clock.advanceNs(5_000_000_000L);
        add(600);
        assertEquals(2, heap.collections);
    }

    @Test
    void shouldTakeFewerWhenACollectionHasFoundThemLarger() {
        fill();
        delete(500);
        heap.collect();
        heap.otherBytes = 450_000;
        add(100);
        heap.collect();
        int more = 0;
        while (reserve.hasRoom()) {
            entries++;
            more++;
        }
        assertTrue(more <= 64, "entries: " + more);
    }
}
