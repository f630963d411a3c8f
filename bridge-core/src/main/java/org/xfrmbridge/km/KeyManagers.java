package org.xfrmbridge.km;

import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Consumer;
import org.xfrmbridge.xfrm.Policy;
import org.xfrmbridge.xfrm.State;

/** Every registered {@link KeyManager}, told in the order of registration as the kernel walks {@code xfrm_km_list}. */
final class KeyManagers {
    private final List<KeyManager> all = new CopyOnWriteArrayList<>();

    void add(KeyManager keyManager) {
        all.add(keyManager);
    }

    void tell(Consumer<KeyManager> news) {
        all.forEach(news);
    }

    void stateChanged(KeyManager.StateChange change, State state, Origin origin) {
        for (KeyManager keyManager : all) {
            keyManager.stateChanged(change, state, origin);
        }
    }

    void stateExpired(State state, boolean hard, int portId) {
        tell(km -> km.stateExpired(state, hard, portId));
    }

    void policyChanged(KeyManager.PolicyChange change, Policy policy, boolean byIndex, Origin origin) {
        for (KeyManager keyManager : all) {
            keyManager.policyChanged(change, policy, byIndex, origin);
        }
    }

    void policyExpired(Policy policy, boolean hard, int portId) {
        tell(km -> km.policyExpired(policy, policy.spec().direction(), hard, portId));
    }

    /** Asks all, also those after one that said yes; {@code km_query}. */
    boolean acquire(KeyManager.Acquire acquire) {
        boolean answering = false;
        for (KeyManager keyManager : all) {
            answering |= keyManager.acquire(acquire);
        }
        return answering;
    }

    /** Whether anybody wants to hear of replay counters; {@code xfrm_aevent_is_on}. Any thread. */
    boolean hearReplay() {
        for (KeyManager keyManager : all) {
            if (keyManager.hearsReplay()) {
                return true;
            }
        }
        return false;
    }
}
