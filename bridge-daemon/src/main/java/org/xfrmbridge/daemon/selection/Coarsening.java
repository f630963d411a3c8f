package org.xfrmbridge.daemon.selection;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;

/**
 * What a level becomes that has too many elements, or levels that are too many: the level with fewer fields that is
 * thought to select the fewest other packets. A level is thought to select the more, the more elements it has and the
 * less its fields are {@linkplain Level#worth worth}.
 */
final class Coarsening {
    /** Two levels, and the one in their place. */
    record Merger(ElementSet one, ElementSet other, Level into) {}

    private Coarsening() {}

    private static double cost(double elements, Level level) {
        return Math.log(elements) / Math.log(2) - level.worth();
    }

    /** Which of the sets, two or more, cost least as one. */
    static Merger merger(List<ElementSet> sets) {
        Merger best = null;
        double least = Double.POSITIVE_INFINITY;
        for (int i = 0; i < sets.size(); i++) {
            for (ElementSet other : sets.subList(i + 1, sets.size())) {
                ElementSet one = sets.get(i);
                Level into = one.level.common(other.level);
                double cost = cost(one.size() + other.size(), into);
                if (cost < least) {
                    least = cost;
                    best = new Merger(one, other, into);
                }
            }
        }
        return best;
    }

    /** A level that holds all of a set's elements in no more than so many. */
    static Level coarser(ElementSet set, int mostElements) {
        Iterable<Element> elements = set.wanted();
        Distinct distinct = new Distinct(mostElements);
        Level best =
                PolicyElements.all(set.level.direction(), set.level.family()).level();
        double least = cost(1, best);
        for (Level candidate : candidates(set.level)) {
            // Even with one element it would cost more.
            if (cost(1, candidate) < least) {
                double cost = cost(distinct.count(elements, candidate), candidate);
                if (cost < least) {
                    least = cost;
                    best = candidate;
                }
            }
        }
        return best;
    }

    private static Collection<Level> candidates(Level level) {
        List<Level> all = new ArrayList<>();
        for (int saddrBits : PolicyElements.lengths(level.family())) {
            for (int daddrBits : PolicyElements.lengths(level.family())) {
                if (saddrBits <= level.saddrBits() && daddrBits <= level.daddrBits()) {
                    addWithFields(all, level, saddrBits, daddrBits);
                }
            }
        }
        all.remove(level);
        return all;
    }

    /** Of the other fields the mark goes first, or a port, then all. */
    private static void addWithFields(List<Level> all, Level of, int saddrBits, int daddrBits) {
        boolean[] eitherOf = {true, false};
        for (boolean mark : of.markMask() == 0 ? new boolean[] {false} : eitherOf) {
            int markMask = mark ? of.markMask() : 0;
            for (boolean sport : of.sport() ? eitherOf : new boolean[] {false}) {
                for (boolean dport : of.dport() ? eitherOf : new boolean[] {false}) {
                    all.add(with(of, saddrBits, daddrBits, of.protocol(), sport, dport, markMask));
                }
            }
            if (of.protocol()) {
                all.add(with(of, saddrBits, daddrBits, false, false, false, markMask));
            }
        }
    }

    private static Level with(
            Level of, int saddrBits, int daddrBits, boolean protocol, boolean sport, boolean dport, int markMask) {
        return new Level(of.direction(), of.family(), saddrBits, daddrBits, protocol, sport, dport, markMask);
    }

    /** Counts what is different, by a hash that is as good as different; reused. */
    private static final class Distinct {
        private final int most;
        private final long[] seen;

        Distinct(int most) {
            this.most = most;
            seen = new long[Integer.highestOneBit(Math.max(most, 1)) * 4];
        }

        /** Infinite if there are more than allowed. */
        double count(Iterable<Element> elements, Level level) {
            Arrays.fill(seen, 0);
            int count = 0;
            for (Element element : elements) {
                count += isNew(element.under(level).mixed() | 1) ? 1 : 0;
                if (count > most) {
                    return Double.POSITIVE_INFINITY;
                }
            }
            return count;
        }

        private boolean isNew(long hash) {
            int slot = (int) (hash >>> 32) & seen.length - 1;
            while (seen[slot] != 0 && seen[slot] != hash) {
                slot = slot + 1 & seen.length - 1;
            }
            boolean isNew = seen[slot] == 0;
            seen[slot] = hash;
            return isNew;
        }
    }
}
