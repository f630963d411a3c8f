package org.xfrmbridge.km;

import java.util.Arrays;
import java.util.function.Consumer;
import org.xfrmbridge.xfrm.Policy;
import org.xfrmbridge.xfrm.State;

/** Every registered {@link KeyManager}, told in the order of registration as the kernel walks {@code xfrm_km_list}. */
final class KeyManagers {
    /** Never changed, only replaced. A plain array: to walk a list cost a twenty-fifth of deleting a policy. */
    private volatile KeyManager[] all = {};

    /** Control thread. */
    void add(KeyManager keyManager) {
        KeyManager[] more = Arrays.copyOf(all, all.length + 1);
        more[all.length] = keyManager;
        all = more;
    }

    void tell(Consumer<KeyManager> news) {
        for (KeyManager keyManager : all) {
            news.accept(keyManager);
        }
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
