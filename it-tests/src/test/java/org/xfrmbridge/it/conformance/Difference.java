package org.xfrmbridge.it.conformance;

import java.util.List;
import java.util.Set;
import java.util.function.Predicate;
import java.util.stream.Stream;

/** Why an answer of the bridge may differ from a kernel's. */
sealed interface Difference permits KnownDifference, PfkeyDifference {
    /**
     * One exchange that differs, and the requests of the sequence before it; lines as
     * {@link Recording.Exchange#answerLines} makes them.
     */
    record Case(List<Datagram> earlier, Datagram request, List<String> kernel, List<String> bridge) {}

    /**
     * @param endsSequence whether the tables differ from then on @param kernels that differ so @param explains which
     *     exchanges
     */
    record Cause(String reason, boolean endsSequence, Set<KernelKind> kernels, Predicate<Case> explains) {}

    Cause cause();

    /** The first that explains a difference, or null. */
    static Difference of(KernelKind kernel, Case difference) {
        return Stream.<Difference>concat(Stream.of(KnownDifference.values()), Stream.of(PfkeyDifference.values()))
                .filter(known -> known.cause().kernels.contains(kernel)
                        && known.cause().explains.test(difference))
                .findFirst()
                .orElse(null);
    }
}
