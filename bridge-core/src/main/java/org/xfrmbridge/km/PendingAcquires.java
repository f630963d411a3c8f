package org.xfrmbridge.km;

import java.util.IdentityHashMap;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.xfrmbridge.xfrm.Policy;
import org.xfrmbridge.xfrm.State;

/**
 * The larval States that packets have caused. Whoever may send packets may cause them, so there are only so many at a
 * time, and those of one Policy are at most as many as are still free: a flood of its packets leaves half of them to
 * others. The control thread changes it, any thread asks.
 */
final class PendingAcquires {
    private final Map<State, Policy> causes = new IdentityHashMap<>();
    private final Map<Policy, Integer> counts = new ConcurrentHashMap<>();
    private final int most;
    private volatile int free;

    /** @param most at a time */
    PendingAcquires(int most) {
        this.most = most;
        free = most;
    }

    /** Whether one more may be caused by a Policy. Any thread. */
    boolean hasRoom(Policy policy) {
        return counts.getOrDefault(policy, 0) < free;
    }

    /** How many there are. Any thread. */
    int open() {
        return most - free;
    }

    /** Control thread. */
    void begin(State larval, Policy cause) {
        causes.put(larval, cause);
        counts.merge(cause, 1, Integer::sum);
        free = most - causes.size();
    }

    /** Control thread: a State has gone, whether it was one of these or not. */
    void end(State state) {
        Policy cause = causes.isEmpty() ? null : causes.remove(state);
        if (cause != null) {
            counts.computeIfPresent(cause, (policy, count) -> count == 1 ? null : count - 1);
            free = most - causes.size();
        }
    }
}
