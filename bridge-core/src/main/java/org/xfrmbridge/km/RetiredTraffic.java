package org.xfrmbridge.km;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import org.xfrmbridge.xfrm.State;
import org.xfrmbridge.xfrm.Usage;

/**
 * What States that went have carried, by their role: with that of those that are there, a sum that goes on over
 * rekeying. Packets that were on their way while a State went are not in it. Control thread only.
 */
public final class RetiredTraffic {
    /** How many roles are remembered. Those go first in which no State has ended for the longest time. */
    public static final int MOST = 4096;

    private final Map<StateRole, Carried> byRole = new LinkedHashMap<>(16, 0.75f, true) {
        @Override
        protected boolean removeEldestEntry(Map.Entry<StateRole, Carried> eldest) {
            return size() > MOST;
        }
    };

    /** So many bytes and packets. */
    public record Carried(long bytes, long packets) {
        public Carried plus(Carried other) {
            return new Carried(bytes + other.bytes, packets + other.packets);
        }

        /** By one State until now. */
        public static Carried by(State state) {
            Usage usage = state.usage();
            return new Carried(usage.bytes(), usage.packets());
        }
    }

    void note(State state) {
        byRole.merge(StateRole.of(state), Carried.by(state), Carried::plus);
    }

    public Map<StateRole, Carried> byRole() {
        return Collections.unmodifiableMap(byRole);
    }
}
