package org.xfrmbridge.it.conformance;

import java.io.IOException;
import java.io.InputStream;
import java.util.List;
import java.util.zip.GZIPInputStream;

/** Compares the bridge with every recording of a kernel. As a program it does so for all kernels and fails if anything is unexplained. */
public final class RecordedRun {
    private RecordedRun() {}

    public static void main(String[] arguments) throws IOException {
        boolean equal = true;
        for (KernelKind kernel : KernelKind.values()) {
            Comparison comparison = compare(kernel);
            System.out.print(comparison.firstUnexplained());
            equal &= comparison.unexplained() == 0;
        }
        System.exit(equal ? 0 : 1);
    }

    static Comparison compare(KernelKind kernel) throws IOException {
        return new Comparison(kernel).compare(recorded(kernel));
    }

    private static List<Recording> recorded(KernelKind kernel) throws IOException {
        String resource = kernel.release + ".recording.gz";
        try (InputStream in = new GZIPInputStream(RecordedRun.class.getResourceAsStream(resource))) {
            return Recording.read(in);
        }
    }
}
