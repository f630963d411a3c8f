package org.xfrmbridge.db;

import java.util.HashMap;
import java.util.Map;
import org.xfrmbridge.xfrm.Flow;
import org.xfrmbridge.xfrm.Policy;
import org.xfrmbridge.xfrm.PolicySpec;

/**
 * Finds the policy of a flow among those of one type, direction and family: tuple-space search. Policies of one {@link TupleShape} share a
 * hash table, exact ones being one shape among others; tuples are asked in the order of their best policies, and those whose best is
 * no better than what was found are passed over. The control thread writes, any thread looks up.
 */
final class Classifier {
    private final Map<TupleShape, Tuple> byShape = new HashMap<>();
    private volatile Tuples tuples = Tuples.NONE;
    private int emptyTuples;
    private int outOfOrder;

    /** Any thread. */
    Policy lookup(Flow flow) {
        Tuples current = tuples;
        SpdEntry best = null;
        long bestRank = SpdEntry.LAST_RANK;
        for (int i = 0; i < current.count(); i++) {
            if (current.bestRank(i) > bestRank) {
                continue;
            }
            SpdEntry better = firstMatch(current.at(i), flow, bestRank);
            if (better != null && (best == null || better.precedes(best))) {
                best = better;
                bestRank = better.rank;
            }
        }
        return best == null ? null : best.policy();
    }

    private static SpdEntry firstMatch(Tuple tuple, Flow flow, long worstRank) {
        SpdEntry entry = tuple.chain(tuple.hash(flow));
        while (entry != null && entry.rank <= worstRank) {
            if (entry.matches(flow)) {
                return entry;
            }
            entry = entry.next;
        }
        return null;
    }

    /** The entry that a client means by what a spec names it by, or null. */
    SpdEntry find(PolicySpec named) {
        Tuple tuple = byShape.get(TupleShape.of(named));
        SpdEntry entry = tuple == null ? null : tuple.chain(tuple.hash(named));
        while (entry != null
                && !entry.isNamed(named.selector(), named.mark(), named.ifId(), named.securityContext())) {
            entry = entry.next;
        }
        return entry;
    }

    SpdEntry add(Policy policy) {
        Tuple tuple = tupleFor(TupleShape.of(policy.spec()));
        SpdEntry entry = new SpdEntry(policy, tuple);
        if (tuple.isEmpty()) {
            emptyTuples--;
        }
        if (entry.rank < tuple.bestRank()) {
            tuple.lowerBestRank(entry.rank);
            tuples.publishBestRank(tuple);
            outOfOrder++;
        }
        tuple.add(entry);
        if (outOfOrder > 2 * tuples.count() + 16) {
            publish();
        }
        return entry;
    }

    void remove(SpdEntry entry) {
        Tuple tuple = entry.tuple;
        tuple.remove(entry);
        if (tuple.isEmpty()) {
            emptyTuples++;
        }
        if (tuple.isWorn()) {
            tuple.findBestRank();
            tuples.publishBestRank(tuple);
        }
        if (emptyTuples > tuples.count() / 2 + 8) {
            byShape.values().removeIf(Tuple::isEmpty);
            emptyTuples = 0;
            publish();
        }
    }

    private Tuple tupleFor(TupleShape shape) {
        Tuple tuple = byShape.get(shape);
        if (tuple == null) {
            tuple = new Tuple(shape);
            byShape.put(shape, tuple);
            emptyTuples++;
            publish();
        }
        return tuple;
    }

    private void publish() {
        outOfOrder = 0;
        tuples = Tuples.sorted(byShape.values());
    }
}
