package org.xfrmbridge.it.conformance;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.io.InputStream;
import java.util.List;
import java.util.zip.GZIPInputStream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The bridge answers what real kernels answered when they were recorded, so that the comparison runs on any machine. */
class RecordedConformanceTest {
    @ParameterizedTest
    @EnumSource
    void shouldAnswerAsTheKernelDid(KernelKind kernel) throws IOException {
        Comparison comparison = new Comparison(kernel).compare(recorded(kernel));

        System.out.print(comparison.summary());
        assertEquals(0, comparison.unexplained(), comparison::report);
    }

    private static List<Recording> recorded(KernelKind kernel) throws IOException {
        String resource = kernel.release + ".recording.gz";
        try (InputStream in = new GZIPInputStream(RecordedConformanceTest.class.getResourceAsStream(resource))) {
            return Recording.read(in);
        }
    }
}
