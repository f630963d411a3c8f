package org.xfrmbridge.bench;

import java.io.IOException;
import java.lang.invoke.MethodHandle;
import java.lang.management.CompilationMXBean;
import java.lang.management.ManagementFactory;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.xfrmbridge.bench.ComparedBuild.Way;

/**
 * Samples of {@link Comparison}. For each the builds are loaded anew, so that the compiler makes other code of them,
 * and then run by turns, a millisecond each, so that what happens to the machine happens to all. Prints a line for each
 * way of each sample: its name, and for each build the nanoseconds that a packet takes, and how long it takes where it
 * takes 1 with the first build.
 *
 * <p>Arguments: by how many places the builds are moved in the first sample, for how many seconds there are samples,
 * how long each is once warm, the builds.
 */
final class ComparisonSamples {
    private static final int BATCH_PACKETS = 64;
    private static final long TURN_NS = 1_000_000;
    /** Of each build and way: what is called so often is compiled as well as it will be, or about to be. */
    private static final int WARM_PACKETS = 100_000;

    private static final long MOST_WARM_UP_NS = 30_000_000_000L;
    /** Longer than it works at one method, of which it tells at the end. */
    private static final long COMPILER_REST_NS = 1_500_000_000L;
    /** What the compiler may do in that time and still be said to rest. */
    private static final long REST_MS = 5;

    /** Where its objects lie in memory decides some hundredths: datapaths live for so many rounds. */
    private static final int LIFE_ROUNDS = 8;

    private final ComparedBuild[] builds;
    /** The builds by number, in the order of their turns. */
    private final List<Integer> order = new ArrayList<>();

    private final Map<Way, List<double[]>> rounds = new EnumMap<>(Way.class);
    /** How many have gone the way that fewest went, with each build. */
    private long leastPackets;

    /** @param number also how far the builds are moved in the order in which they are loaded */
    private ComparisonSamples(int number, List<String> checkouts) throws IOException, ReflectiveOperationException {
        builds = new ComparedBuild[checkouts.size()];
        for (int i = 0; i < builds.length; i++) {
            order.add((i + number) % builds.length);
        }
        for (int build : order) {
            builds[build] = new ComparedBuild(Path.of(checkouts.get(build)));
        }
    }

    /** Datapaths of all builds that do the same, and how many batches are a turn. */
    private record Life(MethodHandle[] datapaths, int batches) {}

    public static void main(String[] arguments) throws Throwable {
        int moved = Integer.parseInt(arguments[0]);
        long budgetNs = ns(arguments[1]);
        long measureNs = ns(arguments[2]);
        List<String> checkouts = List.of(arguments).subList(3, arguments.length);
        long start = System.nanoTime();
        long longestNs = 0;
        for (long now = start; now - start + longestNs <= budgetNs; moved++) {
            ComparisonSamples sample = new ComparisonSamples(moved, checkouts);
            sample.warmUp();
            sample.measure(measureNs);
            sample.rounds.forEach((way, done) -> System.out.println(line(way, done)));
            // Classes of the sample before and their code, so that none is in the way of the next.
            System.gc();
            longestNs = Math.max(longestNs, System.nanoTime() - now);
            now = System.nanoTime();
        }
    }

    private static long ns(String seconds) {
        return (long) (Double.parseDouble(seconds) * 1e9);
    }

    /** Until the compiler rests. */
    private void warmUp() throws Throwable {
        CompilationMXBean compiler = ManagementFactory.getCompilationMXBean();
        long start = System.nanoTime();
        long restsSince = start;
        long compiledMs = compiler.getTotalCompilationTime();
        long now = start;
        while (now - start < MOST_WARM_UP_NS && (leastPackets < WARM_PACKETS || now - restsSince < COMPILER_REST_NS)) {
            live();
            now = System.nanoTime();
            if (compiler.getTotalCompilationTime() - compiledMs > REST_MS) {
                compiledMs = compiler.getTotalCompilationTime();
                restsSince = now;
            }
        }
        rounds.clear();
    }

    private void measure(long forNs) throws Throwable {
        long start = System.nanoTime();
        while (System.nanoTime() - start < forNs) {
            live();
        }
    }

    private void live() throws Throwable {
        Collections.rotate(order, 1);
        Map<Way, Life> lives = new EnumMap<>(Way.class);
        for (Way way : Way.values()) {
            lives.put(way, open(way));
        }
        int batches = lives.values().stream().mapToInt(Life::batches).min().orElseThrow();
        leastPackets += 2L * LIFE_ROUNDS * batches * BATCH_PACKETS;
        for (int i = 0; i < LIFE_ROUNDS; i++) {
            for (Way way : Way.values()) {
                rounds.computeIfAbsent(way, any -> new ArrayList<>()).add(round(lives.get(way)));
            }
        }
    }

    private Life open(Way way) throws Throwable {
        MethodHandle[] datapaths = new MethodHandle[builds.length];
        long warmNs = 0;
        for (int build : order) {
            datapaths[build] = builds[build].open(way);
            warmNs += timeNs(datapaths[build], 1);
        }
        return new Life(datapaths, Math.max(1, (int) (TURN_NS * builds.length / warmNs)));
    }

    /** Two turns of each build, in order and back, so that all are early and late alike: ns a packet. */
    private double[] round(Life life) throws Throwable {
        double[] ns = new double[builds.length];
        for (int build : order) {
            ns[build] += timeNs(life.datapaths[build], life.batches);
        }
        for (int build : order.reversed()) {
            ns[build] += timeNs(life.datapaths[build], life.batches);
            ns[build] /= 2 * life.batches * BATCH_PACKETS;
        }
        return ns;
    }

    private static long timeNs(MethodHandle datapath, int batches) throws Throwable {
        long start = System.nanoTime();
        int frames = 0;
        for (int i = 0; i < batches; i++) {
            frames += (int) datapath.invokeExact();
        }
        long end = System.nanoTime();
        if (frames != batches * BATCH_PACKETS) {
            throw new IllegalStateException(frames + " packets in " + batches + " batches");
        }
        return end - start;
    }

    private static String line(Way way, List<double[]> done) {
        StringBuilder line = new StringBuilder(way.name());
        for (int i = 0; i < done.getFirst().length; i++) {
            int build = i;
            double ns = Median.of(
                            done.stream().mapToDouble(round -> round[build]).toArray())
                    .value();
            double ratio = Median.of(done.stream()
                            .mapToDouble(round -> round[build] / round[0])
                            .toArray())
                    .value();
            line.append(String.format(Locale.ROOT, " %.2f %.5f", ns, ratio));
        }
        return line.toString();
    }
}
