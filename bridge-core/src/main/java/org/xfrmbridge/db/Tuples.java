package org.xfrmbridge.db;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.Collection;
import java.util.Comparator;

/**
 * The tuples of a {@link Classifier} as readers see them, roughly the best first. Their best ranks stand in an array of their own and
 * are lowered in place before a better policy is published: too low a rank costs a probe, too high a one would hide a policy.
 */
final class Tuples {
    static final Tuples NONE = new Tuples(new Tuple[0]);
    private static final VarHandle RANKS = MethodHandles.arrayElementVarHandle(long[].class);

    private final Tuple[] tuples;
    private final long[] bestRanks;

    private Tuples(Tuple[] tuples) {
        this.tuples = tuples;
        bestRanks = new long[tuples.length];
        for (int i = 0; i < tuples.length; i++) {
            tuples[i].position = i;
            bestRanks[i] = tuples[i].bestRank();
        }
    }

    static Tuples sorted(Collection<Tuple> tuples) {
        return new Tuples(tuples.stream().sorted(Comparator.comparingLong(Tuple::bestRank)).toArray(Tuple[]::new));
    }

    int count() {
        return tuples.length;
    }

    Tuple at(int position) {
        return tuples[position];
    }

    /** Any thread. */
    long bestRank(int position) {
        return (long) RANKS.getAcquire(bestRanks, position);
    }

    /** Control thread only. */
    void publishBestRank(Tuple tuple) {
        RANKS.setRelease(bestRanks, tuple.position, tuple.bestRank());
    }
}
