package org.xfrmbridge.bench;

import java.io.BufferedReader;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import org.xfrmbridge.bench.ComparedBuild.Way;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/**
 * What a change costs a packet: {@link DatapathBench} of several builds in one JVM, by turns, in some dozen samples.
 * Two runs of JMH are a tenth apart where they are of one program: the machine has changed meanwhile, and the compiler
 * has made other code. Here the machine is the same for all, and of what the compiler does by chance there are many
 * samples.
 */
@Command(
        name = "compare",
        description = "How long a packet takes with other builds, where it takes 1 with the first.",
        mixinStandardHelpOptions = true)
public final class Comparison implements Callable<Integer> {
    @Parameters(
            arity = "2..*",
            paramLabel = "CHECKOUT",
            description = "where bridge-bench was built; one that is there twice says how far to trust this machine")
    private List<String> checkouts;

    @Option(names = "--jvms", description = "how many JVMs, one after the other (default: ${DEFAULT-VALUE})")
    private int jvms = 3;

    @Option(names = "--minutes", description = "how long in all (default: ${DEFAULT-VALUE})")
    private double minutes = 10;

    @Option(names = "--seconds", description = "how long each sample is, once warm (default: ${DEFAULT-VALUE})")
    private double seconds = 1;

    /** Of each way and sample: of each build nanoseconds a packet, and their ratio to the first one's. */
    private final Map<Way, List<double[]>> results = new EnumMap<>(Way.class);

    public static void main(String[] arguments) {
        System.exit(new CommandLine(new Comparison()).execute(arguments));
    }

    @Override
    public Integer call() throws IOException, InterruptedException {
        for (int i = 0; i < jvms; i++) {
            fork(i);
        }
        for (int build = 1; build < checkouts.size(); build++) {
            System.out.printf(
                    "%s where %s takes 1: median of %d samples, and where it is with 95 in 100%n",
                    checkouts.get(build),
                    checkouts.getFirst(),
                    results.get(Way.OUTBOUND_64).size());
            for (Way way : Way.values()) {
                String name = "%-8s %4d bytes".formatted(way.method(), way.packetBytes());
                print(name, results.get(way), build);
            }
            print("all", meansOfWays(), build);
        }
        return 0;
    }

    /** The geometric means of each sample's ways. */
    private List<double[]> meansOfWays() {
        List<double[]> means = new ArrayList<>();
        for (int sample = 0; sample < results.get(Way.OUTBOUND_64).size(); sample++) {
            double[] mean = new double[2 * checkouts.size()];
            for (List<double[]> ofWay : results.values()) {
                for (int i = 0; i < mean.length; i++) {
                    mean[i] += Math.log(ofWay.get(sample)[i]) / results.size();
                }
            }
            means.add(Arrays.stream(mean).map(Math::exp).toArray());
        }
        return means;
    }

    /** @param moved by how many places the builds: each is the first to be loaded by turns */
    private void fork(int moved) throws IOException, InterruptedException {
        List<String> line = new ArrayList<>();
        line.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        line.addAll(ManagementFactory.getRuntimeMXBean().getInputArguments());
        line.addAll(List.of("-cp", System.getProperty("java.class.path"), ComparisonSamples.class.getName()));
        line.add(Integer.toString(moved));
        line.add(Double.toString(minutes * 60 / jvms));
        line.add(Double.toString(seconds));
        line.addAll(checkouts);
        Process process = new ProcessBuilder(line)
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
        try (BufferedReader output = process.inputReader()) {
            output.lines().forEach(this::note);
        }
        if (process.waitFor() != 0) {
            throw new IllegalStateException("a JVM has failed");
        }
    }

    private void note(String line) {
        System.err.println(line);
        String[] words = line.split(" ");
        double[] figures = new double[words.length - 1];
        for (int i = 0; i < figures.length; i++) {
            figures[i] = Double.parseDouble(words[i + 1]);
        }
        results.computeIfAbsent(Way.valueOf(words[0]), way -> new ArrayList<>()).add(figures);
    }

    private static void print(String name, List<double[]> samples, int build) {
        Median ratio = median(samples, 2 * build + 1);
        System.out.printf(
                Locale.ROOT,
                "  %-19s  %6.1f -> %6.1f ns  %.4f  [%.4f, %.4f]%n",
                name,
                median(samples, 0).value(),
                median(samples, 2 * build).value(),
                ratio.value(),
                ratio.low(),
                ratio.high());
    }

    private static Median median(List<double[]> samples, int figure) {
        return Median.of(
                samples.stream().mapToDouble(figures -> figures[figure]).toArray());
    }
}
