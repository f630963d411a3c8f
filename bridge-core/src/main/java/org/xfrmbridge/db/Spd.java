package org.xfrmbridge.db;

import org.xfrmbridge.xfrm.Direction;
import org.xfrmbridge.xfrm.Flow;
import org.xfrmbridge.xfrm.Policy;
import org.xfrmbridge.xfrm.PolicySpec;

/** The security policy database. Signatures fixed for the callers; bodies are written in db. */
public final class Spd {
    /** The Policy for a flow: lowest priority value, then the oldest, over exact and prefixed alike. Null if none. Any thread, never blocks. */
    public Policy lookup(PolicySpec.Type type, Direction direction, Flow flow) {
        throw new UnsupportedOperationException();
    }

    /** A number that changes with every change of the database (or of the default verdicts). Any thread. */
    public int generation() {
        throw new UnsupportedOperationException();
    }

    /** Whether any policy of the direction exists: a cheap way out of every lookup. Any thread. */
    public boolean isEmpty(Direction direction) {
        throw new UnsupportedOperationException();
    }

    /** What becomes of a flow that no Policy matches. Any thread. */
    public PolicySpec.Action defaultAction(Direction direction) {
        throw new UnsupportedOperationException();
    }

    /** Control thread. */
    public void setDefaultAction(Direction direction, PolicySpec.Action action) {
        throw new UnsupportedOperationException();
    }
}
