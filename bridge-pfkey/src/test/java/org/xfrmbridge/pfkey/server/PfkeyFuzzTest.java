package org.xfrmbridge.pfkey.server;

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
class PfkeyFuzzTest {
    @Test
    void shouldSurviveWhatAKernelWasSent() {
        PfkeyFuzz.seeds().forEach(PfkeyFuzz::fuzzerTestOneInput);
    }

    @TestFactory
    Stream<DynamicTest> shouldSurviveWhatTheFuzzerKept() {
        List<byte[]> inputs = new ArrayList<>(Corpus.load("pfkey"));
        return inputs.stream().map(input -> dynamicTest(name(input), () -> PfkeyFuzz.fuzzerTestOneInput(input)));
    }

    private static String name(byte[] input) {
        return HexFormat.of().formatHex(input, 0, Math.min(input.length, 40));
    }
}
