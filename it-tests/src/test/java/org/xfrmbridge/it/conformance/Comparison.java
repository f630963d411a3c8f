package org.xfrmbridge.it.conformance;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.xfrmbridge.it.conformance.Recording.Exchange;

/** Compares what a kernel answered with what the bridge answers to the same bytes, and keeps what nothing explains. */
final class Comparison {
    private static final int MAX_SHOWN = 20;

    private final BridgeReplay bridge = new BridgeReplay();
    private final KernelKind kernel;
    private final Map<String, Integer> known = new TreeMap<>();
    private final List<String> unexplained = new ArrayList<>();
    private int unexplainedCount;
    private int firstUnexplained;
    private int sequences;
    private int exchanges;
    private int notCompared;

    Comparison(KernelKind kernel) {
        this.kernel = kernel;
    }

    /**
     * Replays each sequence on the bridge; a sequence ends for us at the first difference, as the tables differ from
     * there on.
     */
    Comparison compare(List<Recording> recordings) {
        recordings.forEach(this::compare);
        return this;
    }

    private void compare(Recording theirs) {
        Recording ours = bridge.replay(theirs.sequence());
        sequences++;
        for (int i = 0; i < theirs.exchanges().size(); i++) {
            exchanges++;
            Exchange kernels = theirs.exchanges().get(i);
            Exchange bridges = ours.exchanges().get(i);
            List<String> expected = kernels.answerLines();
            List<String> actual = bridges.answerLines();
            if (expected.equals(actual)) {
                continue;
            }
            List<Datagram> earlier = theirs.sequence().datagrams().subList(0, i);
            Difference reason =
                    Difference.of(kernel, new Difference.Case(earlier, kernels.request(), expected, actual));
            if (reason == null) {
                report(theirs, i, expected, actual);
            } else {
                known.merge(reason + ": " + reason.cause().reason(), 1, Integer::sum);
            }
            if (reason == null || reason.cause().endsSequence()) {
                notCompared += theirs.exchanges().size() - i - 1;
                return;
            }
        }
    }

    private void report(Recording recording, int index, List<String> expected, List<String> actual) {
        if (unexplainedCount++ == 0) {
            firstUnexplained = sequences;
        }
        if (unexplained.size() >= Integer.getInteger("conformance.shown", MAX_SHOWN)) {
            return;
        }
        StringBuilder text =
                new StringBuilder("sequence " + recording.sequence().number() + ", request " + (index + 1) + "\n");
        List<Exchange> exchanges = recording.exchanges();
        for (int i = Boolean.getBoolean("conformance.brief") ? index : 0; i <= index; i++) {
            exchanges
                    .get(i)
                    .request()
                    .lines("> ")
                    .forEach(line -> text.append(line).append('\n'));
        }
        text.append("--- kernel\n");
        expected.forEach(line -> text.append(line).append('\n'));
        text.append("--- bridge\n");
        actual.forEach(line -> text.append(line).append('\n'));
        unexplained.add(text.toString());
    }

    int unexplained() {
        return unexplainedCount;
    }

    /** How soon something was found. */
    String firstUnexplained() {
        String first = unexplainedCount == 0 ? "" : ", the first in sequence " + firstUnexplained;
        return "%s: %d unexplained differences in %d sequences%s%n"
                .formatted(kernel, unexplainedCount, sequences, first);
    }

    /** Counts: of everything, and of the differences with a reason. */
    String summary() {
        StringBuilder text = new StringBuilder(
                "%s: %d sequences, %d requests, %d of them behind a difference, %d unexplained differences%n"
                        .formatted(kernel, sequences, exchanges, notCompared, unexplainedCount));
        known.forEach((difference, count) -> text.append("  %6d %s%n".formatted(count, difference)));
        return text.toString();
    }

    /** The summary, and the first of the differences that nothing explains. */
    String report() {
        return summary() + "\n" + String.join("\n", unexplained);
    }
}
