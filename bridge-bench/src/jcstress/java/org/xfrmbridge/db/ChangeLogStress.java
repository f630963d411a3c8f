package org.xfrmbridge.db;

import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE;

import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.II_Result;

/**
 * Changes of two stripes in turn overwrite each other while a reader goes through one of them: what is not there any
 * more is not believed.
 */
@JCStressTest
@Outcome(id = "0, 0", expect = ACCEPTABLE, desc = "nothing wrong, then and in the end")
@State
public class ChangeLogStress {
    private static final int CHANGES = 40;
    private static final Long[] NUMBERS = numbers();

    private final ChangeLog<Long> log = new ChangeLog<>(2, 4);

    private static Long[] numbers() {
        Long[] numbers = new Long[CHANGES + 1];
        for (int i = 0; i <= CHANGES; i++) {
            numbers[i] = (long) i;
        }
        return numbers;
    }

    @Actor
    public void control() {
        for (int i = 1; i <= CHANGES; i++) {
            log.add(i & 1, NUMBERS[i]);
        }
    }

    @Actor
    public void datapath(II_Result result) {
        for (int i = 0; i < 20; i++) {
            result.r1 += mistakes();
        }
    }

    @Arbiter
    public void end(II_Result result) {
        result.r2 = mistakes() + (log.latest(0) == CHANGES ? 0 : 1);
    }

    /** The change with a number is that number, the one before it is two less, and one that is counted is there. */
    private int mistakes() {
        int mistakes = 0;
        long now = log.number();
        long change = log.latest((int) now & 1);
        mistakes += change < now ? 1 : 0;
        while (change > 0) {
            long before = log.before(change);
            Long found = log.get(change);
            if (found == null) {
                return mistakes;
            }
            mistakes += found == change && before == Math.max(0, change - 2) ? 0 : 1;
            change = before;
        }
        return mistakes;
    }
}
