package org.xfrmbridge.model;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.function.Supplier;
import org.xfrmbridge.model.Model.Operation;

/**
 * Runs sequences of random operations, one for each of successive seeds. When one fails it is cut down to what still
 * fails, and the error shows its seed and what is left of it.
 *
 * <p>{@code -Dmodel.operations=N} says how many operations every model sees (100,000 if not said),
 * {@code -Dmodel.first=N} the first seed (1), {@code -Dmodel.seed=N} runs one seed only.
 */
public final class ModelRun {
    private static final int SEQUENCE_OPERATIONS = 50_000;
    private static final int DEFAULT_OPERATIONS = 100_000;
    private static final int MOST_REPLAYS = 5_000;

    private final Supplier<? extends Model> models;
    private int replays;

    private ModelRun(Supplier<? extends Model> models) {
        this.models = models;
    }

    /** @param models makes them anew, for each sequence and each replay */
    public static void check(Supplier<? extends Model> models) {
        ModelRun run = new ModelRun(models);
        long only = Long.getLong("model.seed", 0);
        long first = only == 0 ? Long.getLong("model.first", 1) : only;
        long sequences =
                only == 0 ? Math.max(1, Long.getLong("model.operations", DEFAULT_OPERATIONS) / SEQUENCE_OPERATIONS) : 1;
        long operations = 0;
        for (long seed = first; seed < first + sequences; seed++) {
            operations += run.check(seed);
        }
        System.out.printf(
                "%s: %,d operations, seeds from %d%n", models.get().getClass().getSimpleName(), operations, first);
    }

    private int check(long seed) {
        List<Operation> operations = sequence(seed, SEQUENCE_OPERATIONS);
        int failed = firstFailure(operations);
        if (failed < 0) {
            return operations.size();
        }
        List<Operation> shrunk =
                shrink(new ArrayList<>(operations.subList(0, Math.min(failed + 1, operations.size()))));
        throw failure(seed, failed, shrunk);
    }

    static List<Operation> sequence(long seed, int length) {
        Random random = new Random(seed);
        List<Operation> operations = new ArrayList<>();
        for (int i = 0; i < length; i++) {
            operations.add(new Operation(i, random.nextLong()));
        }
        return operations;
    }

    /** Index of the operation that fails, the number of operations if the end does, -1 if nothing does. */
    private int firstFailure(List<Operation> operations) {
        Model model = models.get();
        int at = 0;
        try {
            for (; at < operations.size(); at++) {
                model.run(operations.get(at));
            }
            model.finish();
            return -1;
        } catch (AssertionError | RuntimeException difference) {
            return at;
        }
    }

    /** Leaves out parts, large ones first, while what remains still fails; as often as that helps. */
    private List<Operation> shrink(List<Operation> failing) {
        List<Operation> best = failing;
        replays = 0;
        int before;
        do {
            before = best.size();
            for (int part = Math.max(1, best.size() / 2); part > 0; part /= 2) {
                best = withoutParts(best, part);
            }
        } while (best.size() < before);
        return best;
    }

    private List<Operation> withoutParts(List<Operation> failing, int part) {
        List<Operation> best = failing;
        int from = 0;
        while (from < best.size() && replays++ < MOST_REPLAYS) {
            List<Operation> fewer = new ArrayList<>(best.subList(0, from));
            fewer.addAll(best.subList(Math.min(from + part, best.size()), best.size()));
            int failed = firstFailure(fewer);
            if (failed < 0) {
                from += part;
            } else {
                best = new ArrayList<>(fewer.subList(0, Math.min(failed + 1, fewer.size())));
            }
        }
        return best;
    }

    private AssertionError failure(long seed, int failed, List<Operation> operations) {
        Model model = models.get();
        List<String> trace = model.startTrace();
        Throwable difference = null;
        try {
            operations.forEach(model::run);
            model.finish();
        } catch (AssertionError | RuntimeException e) {
            difference = e;
        }
        return new AssertionError(
                "seed %d fails at operation %d; of what led there these %d are enough:%n  %s%n%s"
                        .formatted(seed, failed, operations.size(), String.join("\n  ", trace), difference),
                difference);
    }
}
