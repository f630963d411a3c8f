package org.xfrmbridge.datapath;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.xfrmbridge.fuzz.Corpus;

/** What the fuzzer has found in all its runs, and what it begins with. */
class PacketFuzzTest {
    @Test
    void shouldSurvivePacketsOfEveryKind() {
        long before = PacketFuzz.HOSTS.peer.stats.inbound(Metric.PROTECTED);
        PacketFuzz.seeds().forEach(PacketFuzz::fuzzerTestOneInput);
        assertEquals(
                14,
                PacketFuzz.HOSTS.peer.stats.inbound(Metric.PROTECTED) - before,
                "seeds come to where they are meant to");
    }

    @TestFactory
    Stream<DynamicTest> shouldSurviveWhatTheFuzzerKept() {
        List<byte[]> inputs = new ArrayList<>(Corpus.load("packets"));
        return inputs.stream().map(input -> dynamicTest(name(input), () -> PacketFuzz.fuzzerTestOneInput(input)));
    }

    private static String name(byte[] input) {
        return HexFormat.of().formatHex(input, 0, Math.min(input.length, 40));
    }
}
