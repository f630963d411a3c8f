package org.xfrmbridge.km;

import java.util.Arrays;
import java.util.function.Consumer;
import org.xfrmbridge.xfrm.Policy;
import org.xfrmbridge.xfrm.State;

/**
 * Every registered {@link KeyManager} and {@link ChangeListener}, told in the order of registration as the kernel walks
 * {@code xfrm_km_list}.
 */
final class KeyManagers {
    /** Never changed, only replaced. A plain array: to walk a list cost a twenty-fifth of deleting a policy. */
    private volatile ChangeListener[] listeners = {};

    /** Those that may answer, which are among the listeners too. */
    private volatile KeyManager[] answering = {};

    /** Control thread. */
    void add(KeyManager keyManager) {
        answering = with(answering, keyManager);
        listen(keyManager);
    }

    /** Control thread. */
    void listen(ChangeListener listener) {
        listeners = with(listeners, listener);
    }

    private static <T> T[] with(T[] all, T one) {
        T[] more = Arrays.copyOf(all, all.length + 1);
        more[all.length] = one;
        return more;
    }

    void tell(Consumer<ChangeListener> news) {
        for (ChangeListener listener : listeners) {
            news.accept(listener);
        }
    }

    void stateChanged(ChangeListener.Change change, State state, Origin origin) {
        for (ChangeListener listener : listeners) {
            listener.stateChanged(change, state, origin);
        }
    }

    void stateExpired(State state, boolean hard, int portId) {
        tell(listener -> listener.stateExpired(state, hard, portId));
    }

    void policyChanged(ChangeListener.Change change, Policy policy, boolean byIndex, Origin origin) {
        for (ChangeListener listener : listeners) {
            listener.policyChanged(change, policy, byIndex, origin);
        }
    }

    void policyExpired(Policy policy, boolean hard, int portId) {
        tell(listener -> listener.policyExpired(policy, policy.spec().direction(), hard, portId));
    }

    /** Any of them may refuse. */
    void beforePolicyChange() throws XfrmException {
        for (ChangeListener listener : listeners) {
            listener.beforePolicyChange();
        }
    }

    /** Asks all, also those after one that said yes; {@code km_query}. */
    boolean acquire(ChangeListener.Acquire acquire) {
        boolean isAnswered = false;
        for (KeyManager keyManager : answering) {
            isAnswered |= keyManager.acquire(acquire);
        }
        tell(listener -> listener.acquireSent(acquire));
        return isAnswered;
    }

    /** Whether anybody wants to hear of replay counters; {@code xfrm_aevent_is_on}. Any thread. */
    boolean hearReplay() {
        for (KeyManager keyManager : answering) {
            if (keyManager.hearsReplay()) {
                return true;
            }
        }
        return false;
    }
}
