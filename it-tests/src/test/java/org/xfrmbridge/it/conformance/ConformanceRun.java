package org.xfrmbridge.it.conformance;

import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.IntFunction;
import java.util.stream.IntStream;
import java.util.zip.GZIPInputStream;
import java.util.zip.GZIPOutputStream;

/**
 * The long run: {@code ConformanceRun KERNEL[+PF_KEY] SEQUENCES [SEED [RECORDING]]}, with a kernel of
 * {@link KernelKind}, asked through netlink or mostly through PF_KEY. What the kernel answered is written to the file
 * RECORDING; {@code ConformanceRun KERNEL RECORDING} compares such a file again. docs/conformance.md.
 */
public final class ConformanceRun {
    private static final String WITH_PF_KEY = "+PF_KEY";

    private ConformanceRun() {}

    public static void main(String[] arguments) throws IOException {
        Protocol protocol = arguments[0].endsWith(WITH_PF_KEY) ? Protocol.PF_KEY : Protocol.NETLINK;
        KernelKind kernel = KernelKind.valueOf(arguments[0].replace(WITH_PF_KEY, ""));
        boolean recorded = !arguments[1].chars().allMatch(Character::isDigit);
        Comparison comparison = new Comparison(kernel);
        if (recorded) {
            comparison.compare(read(Path.of(arguments[1])));
        } else {
            long seed = arguments.length > 2 ? Long.parseLong(arguments[2]) : 1;
            List<Recording> recordings =
                    KernelReplay.record(kernel, sequences(kernel, protocol, Integer.parseInt(arguments[1]), seed));
            if (arguments.length > 3) {
                write(Path.of(arguments[3]), recordings);
            }
            comparison.compare(recordings);
        }
        System.out.println(comparison.report());
        System.exit(comparison.unexplained() == 0 ? 0 : 1);
    }

    /** {@code count} generated ones, behind those of a {@link RequestFile}. */
    static List<Sequence> sequences(KernelKind kernel, Protocol protocol, int count, long seed) {
        List<Sequence> sequences = new ArrayList<>();
        IntFunction<Sequence> generator = switch (protocol) {
            case NETLINK -> {
                sequences.addAll(RequestFile.CASES.sequences());
                yield new SequenceGenerator(kernel.profile, seed)::make;
            }
            case PF_KEY -> {
                sequences.addAll(RequestFile.PFKEY_CLIENTS.sequences());
                yield new PfkeySequenceGenerator(kernel.profile, seed)::make;
            }
            case PAUSE -> throw new IllegalArgumentException("a pause is no protocol to ask through");
        };
        IntStream.range(0, count).mapToObj(generator).forEach(sequences::add);
        return sequences;
    }

    private static List<Recording> read(Path file) throws IOException {
        try (InputStream in = new GZIPInputStream(Files.newInputStream(file))) {
            return Recording.read(in);
        }
    }

    private static void write(Path file, List<Recording> recordings) throws IOException {
        try (OutputStream out = new BufferedOutputStream(new GZIPOutputStream(Files.newOutputStream(file)))) {
            Recording.write(out, recordings);
        }
    }
}
