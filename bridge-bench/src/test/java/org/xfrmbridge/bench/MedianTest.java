package org.xfrmbridge.bench;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class MedianTest {
    @Test
    void shouldTakeMiddleOfSortedValues() {
        assertEquals(3, Median.of(5, 1, 3).value());
        assertEquals(2.5, Median.of(4, 1, 3, 2).value());
    }

    /** From tables of the sign test. */
    @Test
    void shouldLeaveAsideAsManyAsTheSignTest() {
        assertEquals(Double.NEGATIVE_INFINITY, Median.of(1, 2, 3, 4, 5).low());
        assertEquals(new Median(3.5, 1, 6), Median.of(1, 2, 3, 4, 5, 6));
        assertEquals(new Median(5.5, 2, 9), Median.of(1, 2, 3, 4, 5, 6, 7, 8, 9, 10));
        double[] twenty = IntStream.rangeClosed(1, 20).asDoubleStream().toArray();
        assertEquals(new Median(10.5, 6, 15), Median.of(twenty));
    }

    @Test
    void shouldHoldTrueMedianInAtLeast95Of100Cases() {
        Random random = new Random(815);
        int held = 0;
        for (int i = 0; i < 2000; i++) {
            Median median = Median.of(random.doubles(12).map(Math::exp).toArray());
            held += median.low() <= Math.exp(0.5) && Math.exp(0.5) <= median.high() ? 1 : 0;
        }
        assertTrue(held >= 1900, held + " of 2000");
    }
}
