package org.xfrmbridge.fuzz;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HexFormat;
import java.util.List;
import java.util.stream.Stream;

/**
 * Inputs that a fuzzer has found worth keeping, in a text file {@code /fuzz/NAME.txt} with one of them on a line, in
 * hexadecimal; a line with {@code //} is a comment. The fuzzer wants a directory with a file for each.
 */
public final class Corpus {
    private Corpus() {}

    /** The inputs kept under a name. */
    public static List<byte[]> load(String name) {
        try (InputStream in = Corpus.class.getResourceAsStream("/fuzz/" + name + ".txt")) {
            return new String(in.readAllBytes(), StandardCharsets.US_ASCII)
                    .lines()
                    .filter(line -> !line.isBlank() && !line.startsWith("//"))
                    .map(HexFormat.of()::parseHex)
                    .toList();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Writes a file for each input, beside those that are there. */
    public static void unpack(List<byte[]> inputs, Path directory) throws IOException {
        Files.createDirectories(directory);
        int number = 0;
        for (byte[] input : inputs) {
            Files.write(directory.resolve("kept-%04d".formatted(number++)), input);
        }
    }

    /**
     * {@code DIRECTORY MOST_BYTES}: prints the inputs of a directory as lines for the text file, short ones first,
     * leaving out long ones.
     */
    public static void main(String[] args) throws IOException {
        List<byte[]> inputs = new ArrayList<>();
        try (Stream<Path> files = Files.list(Path.of(args[0]))) {
            for (Path file : files.toList()) {
                inputs.add(Files.readAllBytes(file));
            }
        }
        inputs.stream()
                .filter(input -> input.length <= Integer.parseInt(args[1]))
                .map(HexFormat.of()::formatHex)
                .distinct()
                .sorted(Comparator.comparingInt(String::length).thenComparing(Comparator.naturalOrder()))
                .forEach(System.out::println);
    }
}
