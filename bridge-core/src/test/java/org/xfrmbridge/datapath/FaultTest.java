package org.xfrmbridge.datapath;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** A fault in any stage of either path costs the packet that meets it, is counted, and leaves nothing behind. */
class FaultTest {
    private static final int STEP = 3;
    private static final int STEP_BEHIND_HEADERS = 211;

    enum Way {
        OUT,
        IN
    }

    /** A fault in the n-th call that a path makes to anybody, the host's network or the control side, for every n. */
    @ParameterizedTest
    @EnumSource(Way.class)
    void shouldCostOnePacketWhereverItIsMet(Way way) {
        Map<String, Integer> whole = new FaultBench(way).run();
        boolean failed = true;
        int call = 0;
        for (; failed; call++) {
            FaultBench bench = new FaultBench(way);
            bench.trip(call, call % 3);
            Map<String, Integer> left = bench.run();
            failed = bench.hasTripped();
            assertEquals(failed ? 1 : 0, bench.faults(), "call " + call);
            assertEquals(failed, bench.counters.takeFault() != null);
            assertCostsOne(whole, left, "call " + call);
            bench.trip(FaultBench.NONE, 0);
            assertEquals(whole, bench.run(), "after a fault in call " + call);
        }
        assertTrue(call > 20, call + " calls");
    }

    /** A buffer that ends too early, anywhere: whoever comes to its end fails. */
    @ParameterizedTest
    @EnumSource(Way.class)
    void shouldCostOnePacketWhereverItsBufferEnds(Way way) {
        FaultBench bench = new FaultBench(way);
        Map<String, Integer> whole = bench.run();
        int frames = bench.frames().size();
        for (int frame = 0; frame < frames; frame++) {
            int bytes = bench.frames().get(frame).length;
            for (int length = 0; length < bytes; length += length < 90 ? STEP : STEP_BEHIND_HEADERS) {
                String where = "frame %d, %d of %d bytes".formatted(frame, length, bytes);
                long before = bench.faults();
                Map<String, Integer> left = bench.run(frame, length);
                long faults = bench.faults() - before;
                assertTrue(faults <= 1, where);
                assertCostsOne(whole, left, where);
                assertEquals(whole, bench.run(), "after " + where);
                assertEquals(before + faults, bench.faults(), "after " + where);
            }
        }
        assertTrue(bench.faults() > 5L * frames, bench.faults() + " faults");
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void shouldCostOnlyItsOwnPacketsWhereAStateCannotBeSetUp(Way way) {
        Map<String, Integer> others = new FaultBench(way).run();
        others.keySet().removeIf(name -> name.contains("tunnel"));
        FaultBench bench = new FaultBench(way);
        bench.breakTunnel();
        assertEquals(others, bench.run());
        assertTrue(bench.faults() >= 3);
        assertInstanceOf(StackOverflowError.class, bench.counters.takeFault());
        assertEquals(others, bench.run());
    }

    @Test
    void shouldCostOnlyItsOwnPacketsWhereACipherFails() {
        Map<String, Integer> others = new FaultBench(Way.OUT).run();
        others.keySet().removeIf(name -> name.contains("tunnel"));
        FaultBench bench = new FaultBench(Way.OUT);
        bench.breakCipher();
        assertEquals(others, bench.run());
        assertEquals(3, bench.faults(), "a packet, one in fragments, and the first of the pieces of another");
        assertInstanceOf(OutOfMemoryError.class, bench.counters.takeFault());
        assertEquals(others, bench.run());
    }

    /** Nothing that was not there before, and of what was there all but what one packet became. */
    private static void assertCostsOne(Map<String, Integer> whole, Map<String, Integer> left, String where) {
        left.forEach((name, count) -> assertTrue(count <= whole.getOrDefault(name, 0), where + ": again " + name));
        Set<String> missing = new TreeSet<>(whole.keySet());
        missing.removeIf(name -> left.getOrDefault(name, 0).equals(whole.get(name)));
        assertTrue(missing.size() <= 1, () -> where + " cost " + missing);
    }
}
