package org.xfrmbridge.km;

import org.xfrmbridge.xfrm.Address;
import org.xfrmbridge.xfrm.Direction;
import org.xfrmbridge.xfrm.Policy;
import org.xfrmbridge.xfrm.PolicySpec;
import org.xfrmbridge.xfrm.Selector;
import org.xfrmbridge.xfrm.State;

/** Hears every ACQUIRE and says nothing. */
public final class AcquiringKeyManager implements KeyManager {
    @Override
    public boolean acquire(Acquire acquire) {
        return true;
    }

    @Override
    public void stateChanged(StateChange change, State state, Origin origin) {}

    @Override
    public void statesFlushed(int protocol, Origin origin) {}

    @Override
    public void policyChanged(PolicyChange change, Policy policy, boolean byIndex, Origin origin) {}

    @Override
    public void policiesFlushed(PolicySpec.Type type, Origin origin) {}

    @Override
    public void stateExpired(State state, boolean hard, int portId) {}

    @Override
    public void policyExpired(Policy policy, Direction direction, boolean hard, int portId) {}

    @Override
    public void mappingChanged(State state, Address newSaddr, int newSport) {}

    @Override
    public void replayChanged(State state, int flags, Origin origin) {}

    @Override
    public void report(int protocol, Selector selector, Address address) {}

    @Override
    public void defaultsChanged(XfrmService.Defaults defaults, Origin origin) {}
}
