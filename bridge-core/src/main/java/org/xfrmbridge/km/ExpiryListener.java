package org.xfrmbridge.km;

import org.xfrmbridge.xfrm.State;

/** A client that wants to hear when States expire. Control thread only. */
public interface ExpiryListener {
    /** Whether it is still there. */
    boolean isOpen();

    /** Whether it has yet to read what it was sent before. */
    boolean isBehind();

    void expired(State state, boolean hard);
}
