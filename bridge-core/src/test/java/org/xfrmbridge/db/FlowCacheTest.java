package org.xfrmbridge.db;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.function.BiConsumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.xfrmbridge.xfrm.AddressFamily;
import org.xfrmbridge.xfrm.Flow;

class FlowCacheTest {
    private static final List<BiConsumer<Flow, Integer>> FIELDS = List.of(
            (flow, v) -> flow.family = v,
            (flow, v) -> flow.saddrHigh = v,
            (flow, v) -> flow.saddrLow = v,
            (flow, v) -> flow.daddrHigh = v,
            (flow, v) -> flow.daddrLow = v,
            (flow, v) -> flow.protocol = v & 0xff,
            (flow, v) -> flow.sport = v & 0xffff,
            (flow, v) -> flow.dport = v & 0xffff,
            (flow, v) -> flow.mark = v,
            (flow, v) -> flow.ifindex = v,
            (flow, v) -> flow.ifId = v);

    @Test
    void shouldNeverAnswerForAnotherFlow() {
        Random random = new Random(5);
        FlowCache<String> cache = new FlowCache<>(256, 42);
        Map<List<Number>, String> model = new HashMap<>();
        RandomFlows flows = new RandomFlows(random);
        Flow[] known = new Flow[600];
        for (int i = 0; i < known.length; i++) {
            known[i] = new Flow();
            flows.fill(known[i], flows.family());
        }
        int hits = 0;
        for (int i = 0; i < 100_000; i++) {
            Flow flow = known[random.nextInt(known.length)];
            String found = cache.get(flow);
            hits += found == null ? 0 : 1;
            assertTrue(found == null || found.equals(model.get(fields(flow))));
            if (found == null || random.nextInt(8) == 0) {
                cache.put(flow, "value " + i);
                model.put(fields(flow), "value " + i);
                assertEquals("value " + i, cache.get(flow));
            }
            assertTrue(cache.size() <= cache.capacity());
        }
        assertTrue(hits > 10_000, "only " + hits + " hits");
    }

    @Test
    void shouldTellFlowsApartWhenOneFieldDiffers() {
        FlowCache<Integer> cache = new FlowCache<>(1024, 1);
        for (int i = 0; i < FIELDS.size(); i++) {
            Flow flow = new Flow();
            FIELDS.get(i).accept(flow, 1);
            assertNull(cache.get(flow));
            cache.put(flow, i);
            flow = new Flow();
            FIELDS.get(i).accept(flow, 2);
            assertNull(cache.get(flow));
        }
    }

    /** So many that the hashes of some are equal: only the key tells them apart. */
    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3, 4, 8, 9, 10})
    void shouldTellFlowsApartWhenTheirHashesAreEqual(int field) {
        FlowCache<Integer> cache = new FlowCache<>(1 << 19, 1);
        Flow flow = new Flow();
        for (int i = 0; i < 300_000; i++) {
            FIELDS.get(field).accept(flow, i);
            assertNull(cache.get(flow));
            cache.put(flow, i);
        }
    }

    @Test
    void shouldKeepFlowsInUseWhenFloodedWithOthers() {
        FlowCache<Integer> cache = new FlowCache<>(1024, 9);
        Random random = new Random(3);
        List<Flow> established = new ArrayList<>();
        for (int i = 0; i < 100; i++) {
            established.add(flow(0x0a000000 + i));
            cache.put(established.get(i), i);
        }
        int misses = 0;
        for (int i = 0; i < 1_000_000; i++) {
            if (i % 10 == 0) {
                Flow flow = established.get(i / 10 % 100);
                if (cache.get(flow) == null) {
                    misses++;
                    cache.put(flow, i);
                }
            }
            cache.put(flow(random.nextInt()), i);
        }
        assertEquals(1024, cache.size());
        assertTrue(misses < 10_000, "established flows missed " + misses + " times of 100000");
    }

    @ParameterizedTest
    @CsvSource({"0.25, 1", "0.5, 0.998", "0.75, 0.97", "1, 0.83"})
    void shouldKnowNearlyAsManyFlowsAsItHasSlots(double share, double known) {
        FlowCache<Integer> cache = new FlowCache<>(1 << 16, 11);
        int flows = (int) (share * cache.capacity());
        int hits = 0;
        for (int i = 0; i < 10 * flows; i++) {
            Flow flow = flow(0x0a000000 + i % flows);
            if (cache.get(flow) == null) {
                cache.put(flow, i);
            } else {
                hits += i < 9 * flows ? 0 : 1;
            }
        }
        assertTrue(hits >= known * flows, "of " + flows + " flows " + hits + " are known");
        assertTrue(cache.size() <= flows);
    }

    @Test
    void shouldStaySmallWhileFlowsAreFew() {
        FlowCache<Integer> cache = new FlowCache<>(1 << 17, 11);
        int few = cache.slots() / 2;
        for (int i = 0; i < 10 * few; i++) {
            cache.put(flow(i % few), i);
        }
        assertEquals(1 << 17, cache.capacity());
        assertTrue(cache.slots() <= 1 << 12, cache.slots() + " slots for " + few + " flows");
    }

    @Test
    void shouldKnowOfBothFamiliesWhatItKnewBeforeItGrew() {
        FlowCache<Integer> cache = new FlowCache<>(1 << 16, 11);
        int first = cache.slots();
        int flows = cache.capacity() / 2;
        for (int i = 0; i < flows; i++) {
            cache.put(flowOfEitherFamily(i), i);
        }
        int known = 0;
        for (int i = 0; i < flows; i++) {
            Integer found = cache.get(flowOfEitherFamily(i));
            assertTrue(found == null || found == i);
            known += found == null ? 0 : 1;
        }
        assertTrue(first < cache.capacity());
        assertEquals(cache.capacity(), cache.slots());
        assertEquals(known, cache.size());
        assertTrue(known >= 0.99 * flows, "of " + flows + " flows " + known + " are known");
    }

    private static Flow flowOfEitherFamily(int number) {
        Flow flow = flow(number / 2);
        if (number % 2 == 1) {
            flow.family = AddressFamily.INET6;
            flow.saddrLow = number;
        }
        return flow;
    }

    @Test
    void shouldForgetEverythingWhenCleared() {
        FlowCache<Integer> cache = new FlowCache<>(4, 0);
        cache.put(flow(0), 1);
        assertNotNull(cache.get(flow(0)));
        cache.clear();
        assertNull(cache.get(flow(0)));
        assertEquals(0, cache.size());
    }

    private static Flow flow(int daddr) {
        Flow flow = new Flow();
        flow.family = AddressFamily.INET;
        flow.daddrHigh = (long) daddr << 32;
        flow.protocol = 17;
        return flow;
    }

    private static List<Number> fields(Flow flow) {
        return List.of(
                flow.family,
                flow.saddrHigh,
                flow.saddrLow,
                flow.daddrHigh,
                flow.daddrLow,
                flow.protocol,
                flow.sport,
                flow.dport,
                flow.mark,
                flow.ifindex,
                flow.ifId);
    }
}
