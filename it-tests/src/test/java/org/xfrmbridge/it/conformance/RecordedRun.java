package org.xfrmbridge.it.conformance;

import java.io.IOException;
import java.io.InputStream;
import java.util.List;
import java.util.zip.GZIPInputStream;

/**
 * Compares the bridge with recordings of kernels. As a program it does so for what all kernels answered through
 * netlink, and fails if anything is unexplained.
 */
public final class RecordedRun {
    private RecordedRun() {}

    public static void main(String[] arguments) throws IOException {
        boolean equal = true;
        for (KernelKind kernel : KernelKind.values()) {
            Comparison comparison = compare(kernel, Protocol.NETLINK);
            System.out.print(comparison.firstUnexplained());
            equal &= comparison.unexplained() == 0;
        }
        System.exit(equal ? 0 : 1);
    }

    /** @param protocol through which most was asked */
    static Comparison compare(KernelKind kernel, Protocol protocol) throws IOException {
        return compare(kernel, protocol == Protocol.PF_KEY ? "-pfkey" : "");
    }

    /** @param kind of recording: what stands between the kernel's release and the suffix of the file's name */
    static Comparison compare(KernelKind kernel, String kind) throws IOException {
        return new Comparison(kernel).compare(recorded(kernel.release + kind + ".recording.gz"));
    }

    private static List<Recording> recorded(String resource) throws IOException {
        try (InputStream in = new GZIPInputStream(RecordedRun.class.getResourceAsStream(resource))) {
            return Recording.read(in);
        }
    }
}
