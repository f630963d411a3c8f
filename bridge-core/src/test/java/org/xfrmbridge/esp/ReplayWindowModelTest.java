package org.xfrmbridge.esp;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;

import java.util.HashSet;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Each window against a set of the 64-bit numbers seen, on seeded random traffic with loss, reordering, replays and
 * jumps.
 */
class ReplayWindowModelTest {
    private static final int PACKETS = 20_000;

    /** What is seen, and nothing clever. */
    private static final class Model {
        private final int windowBits;
        private final Set<Long> seen = new HashSet<>();
        private long top;

        Model(int windowBits, long top) {
            this.windowBits = windowBits;
            this.top = top;
        }

        boolean isNew(long sequence) {
            return sequence > top || (sequence > 0 && top - sequence < windowBits && !seen.contains(sequence));
        }

        void see(long sequence) {
            if (sequence - top >= windowBits) {
                seen.clear();
            }
            top = Math.max(top, sequence);
            seen.add(sequence);
        }

        int shiftedBitmap() {
            int bitmap = 0;
            for (int i = 0; i < 32; i++) {
                bitmap |= seen.contains(top - i) ? 1 << i : 0;
            }
            return bitmap;
        }

        int[] ring(int words) {
            int[] ring = new int[words];
            for (long sequence = Math.max(1, top - windowBits + 1); sequence <= top; sequence++) {
                int bit = Math.floorMod(
                        (int) Long.remainderUnsigned((top - 1) & 0xffff_ffffL, windowBits) - (int) (top - sequence),
                        windowBits);
                ring[bit >>> 5] |= seen.contains(sequence) ? 1 << bit : 0;
            }
            return ring;
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 5, 31, 32})
    void shouldAgreeWithTheModelWhenLegacy(int windowBits) {
        Model model = new Model(windowBits, 0);
        ReplayWindow window = ReplayWindow.legacy(windowBits, ReplaySnapshot.fresh(1));
        Random random = new Random(windowBits);
        for (int i = 0; i < PACKETS; i++) {
            offer(model, window, traffic(random, model.top, windowBits));
            assertEquals(new ReplaySnapshot((int) model.top, 0, new int[] {model.shiftedBitmap()}), window.snapshot());
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 31, 32, 64, 100, 128, 1000, 4096})
    void shouldAgreeWithTheModelWhenRing(int windowBits) {
        Model model = new Model(windowBits, 0);
        ReplayWindow window = ReplayWindow.bitmap(windowBits, SequenceWidth.SHORT, ReplaySnapshot.fresh(128));
        Random random = new Random(windowBits);
        for (int i = 0; i < PACKETS; i++) {
            offer(model, window, traffic(random, model.top, windowBits));
            checkRing(model, window, i);
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 31, 32, 64, 100, 128, 1000, 4096})
    void shouldAgreeWithTheModelWhenExtendedAcrossSubspaces(int windowBits) {
        for (long start : new long[] {0, 0xffff_f000L, 7L << 32 | 0xffff_fff0L}) {
            Model model = new Model(windowBits, start);
            ReplaySnapshot initial = new ReplaySnapshot((int) start, (int) (start >>> 32), new int[128]);
            ReplayWindow window = ReplayWindow.bitmap(windowBits, SequenceWidth.EXTENDED, initial);
            Random random = new Random(windowBits);
            for (int i = 0; i < PACKETS; i++) {
                long sequence = traffic(random, model.top, windowBits);
                if (sequence > model.top - windowBits) {
                    assertEquals(sequence, window.infer((int) sequence));
                    offer(model, window, sequence);
                } else {
                    assertNotEquals(sequence, window.infer((int) sequence), "the ICV is what refuses it");
                    assertEquals(ReplayVerdict.OUTSIDE, window.advance(sequence));
                }
                checkRing(model, window, i);
            }
        }
    }

    @Test
    void shouldShowReadersOneMomentWhenAnotherThreadWrites() throws InterruptedException {
        ReplayWindow window = ReplayWindow.bitmap(64, SequenceWidth.EXTENDED, ReplaySnapshot.fresh(2));
        AtomicBoolean done = new AtomicBoolean();
        Thread writer = new Thread(() -> {
            for (long sequence = 3; sequence <= 9_000_000; sequence += 3) {
                window.advance(sequence);
            }
            done.set(true);
        });
        writer.start();
        while (!done.get()) {
            ReplaySnapshot snapshot = window.snapshot();
            assertArrayEquals(everyThird(snapshot.seq()), snapshot.bitmap(), snapshot::toString);
        }
        writer.join();
    }

    /** The ring of 64 bits when every third number was seen, and nothing since {@code top}. */
    private static int[] everyThird(int top) {
        int[] ring = new int[2];
        for (int sequence = top; sequence > 0 && top - sequence < 64; sequence -= 3) {
            int bit = (sequence - 1) % 64;
            ring[bit >>> 5] |= 1 << bit;
        }
        return ring;
    }

    private static void offer(Model model, ReplayWindow window, long sequence) {
        boolean expected = model.isNew(sequence);
        assertEquals(
                expected, window.check((int) sequence) == ReplayVerdict.NEW, () -> sequence + " against " + model.top);
        assertEquals(expected, window.advance(sequence) == ReplayVerdict.NEW);
        if (expected) {
            model.see(sequence);
        }
    }

    private static void checkRing(Model model, ReplayWindow window, int packet) {
        ReplaySnapshot snapshot = window.snapshot();
        assertEquals((int) model.top, snapshot.seq());
        assertEquals((int) (model.top >>> 32), snapshot.seqHigh());
        if (packet % 64 == 0) {
            assertArrayEquals(model.ring(128), snapshot.bitmap());
        }
    }

    /** Mostly the next number; else one skipped, one of the window, one left of it, or a jump. Never below 0. */
    private static long traffic(Random random, long top, int windowBits) {
        long sequence = switch (random.nextInt(16)) {
            case 0, 1 -> top + 1 + random.nextInt(4);
            case 2, 3, 4 -> top - random.nextInt(windowBits);
            case 5 -> top - windowBits - random.nextInt(windowBits);
            case 6 -> top + random.nextInt(2 * windowBits);
            case 7 -> random.nextInt(50) == 0 ? top + random.nextInt(1_000_000) : top;
            default -> top + 1;
        };
        return Math.max(0, sequence);
    }
}
