package org.xfrmbridge.db;

import org.xfrmbridge.xfrm.Address;
import org.xfrmbridge.xfrm.Flow;
import org.xfrmbridge.xfrm.State;
import org.xfrmbridge.xfrm.StateId;
import org.xfrmbridge.xfrm.Template;

/** The security association database. Signatures fixed for the callers; bodies are written in db. */
public final class Sad {
    /** Inbound: the State a packet names. Any thread, never blocks. Null if none. */
    public State lookup(long daddrHigh, long daddrLow, int spi, int protocol, int family, int mark) {
        throw new UnsupportedOperationException();
    }

    /** By (saddr, daddr, protocol), for mobility protocols and larval States. */
    public State lookupByAddress(Address daddr, Address saddr, int protocol, int family, int mark) {
        throw new UnsupportedOperationException();
    }

    /** Larval or other State by the number of an ACQUIRE. */
    public State lookupBySequence(int sequence) {
        throw new UnsupportedOperationException();
    }

    /**
     * Outbound: the best State for a template, as the kernel's {@code xfrm_state_find} chooses (valid before dying, younger before older).
     * Any thread. A larval one is returned when it is all there is; its phase tells. Null if there is none at all.
     */
    public State find(Template template, Flow flow, Address daddr, Address saddr, int family) {
        throw new UnsupportedOperationException();
    }

    /** A number that changes when a State is added that could serve (daddr, saddr): bundles made before are rebuilt. Any thread. */
    public int generation(Address daddr, Address saddr) {
        throw new UnsupportedOperationException();
    }

    /** Control thread. */
    public void insert(State state) {
        throw new UnsupportedOperationException();
    }

    /** Control thread: unhashes; marks it dead. */
    public void remove(State state) {
        throw new UnsupportedOperationException();
    }

    public State lookup(StateId id, int family, int mark) {
        return lookup(id.daddr().high(), id.daddr().low(), id.spi(), id.protocol(), family, mark);
    }
}
