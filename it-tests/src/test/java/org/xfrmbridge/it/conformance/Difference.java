package org.xfrmbridge.it.conformance;

import java.util.List;

/** Why an answer of the bridge may differ from a kernel's. */
sealed interface Difference permits KnownDifference, PfkeyDifference {
    /** One exchange that differs, and the requests of the sequence before it; lines as {@link Recording.Exchange#answerLines} makes them. */
    record Case(List<Datagram> earlier, Datagram request, List<String> kernel, List<String> bridge) {}

    String reason();

    /** Whether the tables differ from then on. */
    boolean endsSequence();

    /** The first that explains a difference, or null. */
    static Difference of(KernelKind kernel, Case difference) {
        Difference known = KnownDifference.of(kernel, difference);
        return known == null ? PfkeyDifference.of(kernel, difference) : known;
    }
}
