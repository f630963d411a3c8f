package org.xfrmbridge.km;

import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.xfrmbridge.time.Timer;
import org.xfrmbridge.xfrm.Address;
import org.xfrmbridge.xfrm.Mark;
import org.xfrmbridge.xfrm.State;
import org.xfrmbridge.xfrm.StateId;
import org.xfrmbridge.xfrm.StateKey;
import org.xfrmbridge.xfrm.StateSpec;

/**
 * The States that were there before this process, which nobody was told of that they are gone: whoever begins to listen
 * for expiries in the first {@value #KEPT_SECONDS} seconds is told by EXPIRE, so that it negotiates others at once. A
 * few at a time, and no more than the listener reads, as each makes it negotiate. What is there again, was deleted or
 * flushed is not told.
 *
 * <p>First a soft limit: daemons then negotiate while their policies stand. Only for what nothing has come in the place
 * of within {@value #HARD_SECONDS} seconds a hard one: on it charon, without a trap, takes its policies away before it
 * negotiates, and what they protect leaves in the clear meanwhile, on a kernel, too. Control thread only.
 */
final class LostStates {
    private static final int KEPT_SECONDS = 600;
    private static final int HARD_SECONDS = 10;
    private static final int TURN = 64;
    private static final long TURN_NS = ControlTimers.NS_PER_SECOND / 10;

    /** What tells States apart, as a hash. */
    private record Key(StateId id, int family, Mark mark) {
        static Key of(State state) {
            return new Key(state.id(), state.spec().family(), state.spec().mark());
        }
    }

    /** What one has to have that takes a State's place. */
    private record Role(Address daddr, Address saddr, int protocol, int reqid, int ifId, Mark mark) {
        static Role of(State state) {
            StateSpec spec = state.spec();
            return new Role(
                    spec.id().daddr(), spec.saddr(), spec.id().protocol(), spec.reqid(), spec.ifId(), spec.mark());
        }
    }

    /** One listener's way through what was lost. */
    private final class Telling {
        private final ExpiryListener listener;
        private final List<State> left = new ArrayList<>(lost.values());
        private final Timer<Runnable> timer = Timer.of(this::run);
        private boolean hard;
        private int next;

        Telling(ExpiryListener listener) {
            this.listener = listener;
            timers.set(timer, 0);
        }

        private void run() {
            if (!listener.isOpen()) {
                return;
            }
            for (int told = 0; told < TURN && next < left.size() && !listener.isBehind(); next++) {
                told += tell(left.get(next)) ? 1 : 0;
            }
            if (next < left.size()) {
                timers.set(timer, TURN_NS);
            } else if (!hard) {
                hard = true;
                next = 0;
                timers.setSeconds(timer, HARD_SECONDS);
            }
        }

        private boolean tell(State state) {
            boolean due = lost.get(Key.of(state)) == state && (!hard || empty.contains(Role.of(state)));
            if (due) {
                listener.expired(state, hard);
            }
            return due;
        }
    }

    private final ControlTimers timers;
    private final Map<Key, State> lost = new LinkedHashMap<>();

    /** Where no other has come yet. */
    private final Set<Role> empty = new HashSet<>();

    LostStates(ControlTimers timers, Collection<State> states) {
        this.timers = timers;
        for (State state : states) {
            lost.put(Key.of(state), state);
            empty.add(Role.of(state));
        }
        if (!lost.isEmpty()) {
            timers.setSeconds(Timer.of(this::forget), KEPT_SECONDS);
        }
    }

    private void forget() {
        lost.clear();
        empty.clear();
    }

    /** Those that a process after this one would have to tell of. */
    Collection<State> all() {
        return lost.values();
    }

    void tell(ExpiryListener listener) {
        if (!lost.isEmpty()) {
            new Telling(listener);
        }
    }

    /** A client has made one. */
    void comes(State state) {
        if (!lost.isEmpty()) {
            lost.remove(Key.of(state));
            empty.remove(Role.of(state));
        }
    }

    /** A client knows that it is gone. */
    void goes(StateKey key) {
        if (!lost.isEmpty()) {
            Mark mark = key.mark() == null ? Mark.NONE : key.mark().sanitized();
            lost.remove(new Key(key.id(), key.family(), mark));
        }
    }

    /** @param protocol 0 for all, 255 for AH, ESP and IPComp */
    void flush(int protocol) {
        lost.values().removeIf(state -> StateLifecycle.isOf(state.id().protocol(), protocol));
    }
}
