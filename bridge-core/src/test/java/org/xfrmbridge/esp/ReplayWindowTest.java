package org.xfrmbridge.esp;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.xfrmbridge.esp.ReplayVerdict.NEW;
import static org.xfrmbridge.esp.ReplayVerdict.OUTSIDE;
import static org.xfrmbridge.esp.ReplayVerdict.REPLAYED;
import static org.xfrmbridge.esp.ReplayVerdict.ZERO;
import static org.xfrmbridge.esp.SequenceWidth.EXTENDED;
import static org.xfrmbridge.esp.SequenceWidth.SHORT;

import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The kernel's windows case by case; {@link ReplayWindowModelTest} has the random ones. */
class ReplayWindowTest {

    @Nested
    class Legacy {
        @Test
        void shouldExportTheShiftedBitmapOfStructXfrmReplayState() {
            ReplayWindow window = ReplayWindow.legacy(32, ReplaySnapshot.fresh(1));
            see(window, 1, 2, 5);
            assertEquals(new ReplaySnapshot(5, 0, new int[] {0b11001}), window.snapshot());
            see(window, 4, 100);
            assertEquals(new ReplaySnapshot(100, 0, new int[] {1}), window.snapshot());
        }

        @Test
        void shouldTellReplayedFromOutsideAndZero() {
            ReplayWindow window = ReplayWindow.legacy(4, ReplaySnapshot.fresh(1));
            see(window, 10);
            assertEquals(NEW, window.check(7));
            assertEquals(OUTSIDE, window.check(6));
            assertEquals(REPLAYED, window.check(10));
            assertEquals(ZERO, window.check(0));
            assertEquals(1, window.replayed());
            assertEquals(1, window.outside());
        }

        @Test
        void shouldRefuseTheSecondOfTwoThatWereBothCheckedFirst() {
            ReplayWindow window = ReplayWindow.legacy(32, ReplaySnapshot.fresh(1));
            assertEquals(NEW, window.check(3));
            assertEquals(NEW, window.check(3));
            assertEquals(NEW, window.advance(3));
            assertEquals(REPLAYED, window.advance(3));
        }

        @Test
        void shouldAcceptAllAndRememberNothingWhenTheWindowIsZero() {
            ReplayWindow window = ReplayWindow.legacy(0, ReplaySnapshot.fresh(1));
            for (int sequence : new int[] {5, 5, 0, 1}) {
                assertEquals(NEW, window.check(sequence));
                assertEquals(NEW, window.advance(sequence));
            }
            assertEquals(ReplaySnapshot.fresh(1), window.snapshot());
        }

        @Test
        void shouldCountUnsignedWhenTheNumberHasTheTopBit() {
            ReplayWindow window = ReplayWindow.legacy(32, new ReplaySnapshot(0x7fff_ffff, 0, new int[] {1}));
            see(window, 0x8000_0000, 0xffff_ffff);
            assertEquals(OUTSIDE, window.check(1));
        }

        @Test
        void shouldTreatAWindowAbove32AsOneOf32() {
            assertEquals(32, ReplayWindow.legacy(255, ReplaySnapshot.fresh(1)).windowBits());
        }
    }

    @Nested
    class Ring {
        @Test
        void shouldExportTheRingOfStructXfrmReplayStateEsn() {
            ReplayWindow window = ReplayWindow.bitmap(64, SHORT, ReplaySnapshot.fresh(4));
            see(window, 1, 2, 64);
            assertEquals(new ReplaySnapshot(64, 0, new int[] {0b11, 0x8000_0000, 0, 0}), window.snapshot());
            see(window, 65);
            assertEquals(new ReplaySnapshot(65, 0, new int[] {0b11, 0x8000_0000, 0, 0}), window.snapshot());
            see(window, 67);
            assertEquals(new ReplaySnapshot(67, 0, new int[] {0b101, 0x8000_0000, 0, 0}), window.snapshot());
        }

        @Test
        void shouldGoOnFromAnImportedState() {
            ReplayWindow window =
                    ReplayWindow.bitmap(64, SHORT, new ReplaySnapshot(67, 0, new int[] {0b101, 0x8000_0000}));
            assertEquals(REPLAYED, window.check(65));
            assertEquals(NEW, window.check(66));
            assertEquals(REPLAYED, window.check(64));
            assertEquals(OUTSIDE, window.check(3));
        }

        @ParameterizedTest
        @ValueSource(ints = {100, 33, 4095})
        void shouldRefuseAReplayOfTheFirstNumberWhenTheWindowIsNoPowerOfTwo(int windowBits) {
            ReplayWindow window = ReplayWindow.bitmap(windowBits, SHORT, ReplaySnapshot.fresh(128));
            see(window, 1);
            assertEquals(REPLAYED, window.check(1));
        }

        @Test
        void shouldRefuseWindowsThatTheBitmapCannotHold() {
            assertThrows(IllegalArgumentException.class, () -> ReplayWindow.bitmap(65, SHORT, ReplaySnapshot.fresh(2)));
            assertThrows(
                    IllegalArgumentException.class, () -> ReplayWindow.bitmap(4097, SHORT, ReplaySnapshot.fresh(129)));
            assertThrows(
                    IllegalArgumentException.class, () -> ReplayWindow.bitmap(0, EXTENDED, ReplaySnapshot.fresh(1)));
        }

        @Test
        void shouldNotShareTheBitmapItWasGiven() {
            int[] bitmap = new int[1];
            ReplayWindow window = ReplayWindow.bitmap(32, SHORT, new ReplaySnapshot(0, 0, bitmap));
            see(window, 1);
            window.snapshot().bitmap()[0] = 77;
            assertArrayEquals(new int[1], bitmap);
            assertEquals(1, window.snapshot().bitmap()[0]);
        }
    }

    /**
     * RFC 4303 appendix A2.2, in its words: T is the top of the window, B its bottom, W its size, l and h are low and
     * high halves.
     */
    @Nested
    class Rfc4303AppendixA {
        private final ReplayWindow caseA = ReplayWindow.bitmap(64, EXTENDED, new ReplaySnapshot(1000, 5, new int[2]));
        private final ReplayWindow caseB = ReplayWindow.bitmap(64, EXTENDED, new ReplaySnapshot(10, 5, new int[2]));

        @Test
        void shouldInferThWhenCaseAAndSeqlIsInTheWindow() {
            assertEquals(5L << 32 | 937, caseA.infer(937));
            assertEquals(5L << 32 | 1000, caseA.infer(1000));
            assertEquals(NEW, caseA.check(937));
        }

        @Test
        void shouldInferThWhenCaseAAndSeqlIsRightOfTheWindow() {
            assertEquals(5L << 32 | 0xffff_ffffL, caseA.infer(-1));
            assertEquals(NEW, caseA.check(-1));
        }

        @Test
        void shouldInferThPlusOneWhenCaseAAndSeqlIsLeftOfBl() {
            assertEquals(6L << 32 | 936, caseA.infer(936));
            assertEquals(6L << 32, caseA.infer(0));
            assertEquals(NEW, caseA.check(936));
            assertEquals(NEW, caseA.advance(6L << 32 | 936));
            assertEquals(6, caseA.snapshot().seqHigh());
        }

        @Test
        void shouldInferThMinusOneWhenCaseBAndSeqlIsRightOfBl() {
            int bottom = 10 - 64 + 1;
            assertEquals(4L << 32 | Integer.toUnsignedLong(bottom), caseB.infer(bottom));
            assertEquals(NEW, caseB.advance(caseB.infer(bottom)));
            assertEquals(REPLAYED, caseB.check(bottom));
            assertEquals(5, caseB.snapshot().seqHigh());
        }

        @Test
        void shouldInferThWhenCaseBAndSeqlIsLeftOfBl() {
            assertEquals(5L << 32 | 10, caseB.infer(10));
            assertEquals(5L << 32 | 11, caseB.infer(11));
            assertEquals(5L << 32, caseB.infer(0));
            assertEquals(NEW, caseB.check(0));
        }

        @Test
        void shouldRefuseSequenceZeroWhenNothingCameBeforeIt() {
            ReplayWindow fresh = ReplayWindow.bitmap(64, EXTENDED, ReplaySnapshot.fresh(2));
            assertEquals(ZERO, fresh.check(0));
            assertEquals(NEW, fresh.check(1));
        }

        @Test
        void shouldCallItOutsideWhenTheWindowMovedToAnotherSubspaceMeanwhile() {
            long inferred = caseA.infer(2000);
            assertEquals(5L << 32 | 2000, inferred);
            assertEquals(NEW, caseA.advance(6L << 32 | 500));
            assertEquals(OUTSIDE, caseA.advance(inferred));
            assertEquals(1, caseA.outside());
        }
    }

    private static void see(ReplayWindow window, int... sequences) {
        for (int sequence : sequences) {
            assertEquals(NEW, window.check(sequence), Integer.toUnsignedString(sequence));
            assertEquals(NEW, window.advance(window.infer(sequence)), Integer.toUnsignedString(sequence));
        }
    }
}
