package org.xfrmbridge.daemon.figures;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.ObjLongConsumer;
import org.xfrmbridge.km.ChangeListener;
import org.xfrmbridge.km.Origin;
import org.xfrmbridge.time.Clock;
import org.xfrmbridge.xfrm.Address;
import org.xfrmbridge.xfrm.State;
import org.xfrmbridge.xfrm.StateSpec;

/**
 * How long it takes from an ACQUIRE to the SA that answers it. Of those that wait the latest {@value #MOST_OPEN} are
 * remembered. Control thread only.
 */
public final class AcquireTimes implements ChangeListener {
    private static final int MOST_OPEN = 4096;

    /** What comes later answers something else: a larval SA lives 165 s, if nobody says otherwise. */
    private static final long LONGEST_NS = 180_000_000_000L;

    /** What the answer has in common with what was asked for. */
    private record Wanted(Address destination, int protocol, int reqid) {
        static Wanted of(StateSpec spec) {
            return new Wanted(spec.id().daddr(), spec.id().protocol(), spec.reqid());
        }
    }

    private final Map<Wanted, Long> sentNs = new LinkedHashMap<>() {
        @Override
        protected boolean removeEldestEntry(Map.Entry<Wanted, Long> eldest) {
            return size() > MOST_OPEN;
        }
    };

    private final ObjLongConsumer<State> answered;
    private final Clock clock;

    /** @param answered is told the SA, and after how many nanoseconds it came */
    public AcquireTimes(ObjLongConsumer<State> answered, Clock clock) {
        this.answered = answered;
        this.clock = clock;
    }

    @Override
    public void acquireSent(Acquire acquire) {
        long nowNs = clock.nowNs();
        sentNs.merge(
                Wanted.of(acquire.larval().spec()),
                nowNs,
                (firstNs, _) -> nowNs - firstNs > LONGEST_NS ? nowNs : firstNs);
    }

    @Override
    public void stateChanged(Change change, State state, Origin origin) {
        if (change == Change.DELETE || !state.isValid() || sentNs.isEmpty()) {
            return;
        }
        Long sent = sentNs.remove(Wanted.of(state.spec()));
        long waitedNs = sent == null ? Long.MAX_VALUE : clock.nowNs() - sent;
        if (waitedNs <= LONGEST_NS) {
            answered.accept(state, waitedNs);
        }
    }
}
