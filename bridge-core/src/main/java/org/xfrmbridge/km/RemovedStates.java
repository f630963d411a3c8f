package org.xfrmbridge.km;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Optional;
import java.util.function.Predicate;
import org.xfrmbridge.xfrm.Address;
import org.xfrmbridge.xfrm.State;
import org.xfrmbridge.xfrm.StateId;

/**
 * The States that went lately, by name: who still sends with one, or waits for one, is told what became of it. No keys.
 * Control thread only.
 */
public final class RemovedStates {
    /** How many are remembered; larval ones are not. */
    public static final int MOST = 4096;

    private final Deque<Removed> latest = new ArrayDeque<>();

    /** Why a State went. */
    public enum End {
        /** By a request, or with all others. */
        DELETED,
        /** At a hard limit. */
        EXPIRED,
        /** Another one with other addresses has its place. */
        MOVED
    }

    /** @param atNs on the clock */
    public record Removed(StateId id, Address saddr, int family, int reqid, End end, long atNs) {}

    void note(State state, End end, long nowNs) {
        if (latest.size() == MOST) {
            latest.removeFirst();
        }
        latest.addLast(new Removed(
                state.id(),
                state.spec().saddr(),
                state.spec().family(),
                state.spec().reqid(),
                end,
                nowNs));
    }

    /** The latest of those that are meant. */
    public Optional<Removed> latest(Predicate<Removed> meant) {
        for (var from = latest.descendingIterator(); from.hasNext(); ) {
            Removed removed = from.next();
            if (meant.test(removed)) {
                return Optional.of(removed);
            }
        }
        return Optional.empty();
    }
}
