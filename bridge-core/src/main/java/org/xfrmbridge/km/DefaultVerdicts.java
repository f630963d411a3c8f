package org.xfrmbridge.km;

import org.xfrmbridge.db.Spd;
import org.xfrmbridge.km.XfrmService.Defaults;
import org.xfrmbridge.xfrm.Direction;
import org.xfrmbridge.xfrm.PolicySpec.Action;

/**
 * SETDEFAULT and GETDEFAULT: what becomes of packets no Policy matches, {@code xfrm_set_default}. Control thread only.
 */
final class DefaultVerdicts {
    /** {@code XFRM_USERPOLICY_BLOCK} and {@code _ACCEPT}; they are not the numbers of policy actions. */
    private static final int BLOCK = 1;

    private static final int ACCEPT = 2;

    private final Spd spd;

    DefaultVerdicts(Spd spd) {
        this.spd = spd;
    }

    Defaults get() {
        return new Defaults(get(Direction.IN), get(Direction.FWD), get(Direction.OUT));
    }

    /** A value that is neither block nor accept leaves its direction alone. */
    void set(Defaults wanted) {
        set(Direction.IN, wanted.in());
        set(Direction.FWD, wanted.forward());
        set(Direction.OUT, wanted.out());
    }

    private int get(Direction direction) {
        return spd.defaultAction(direction) == Action.BLOCK ? BLOCK : ACCEPT;
    }

    private void set(Direction direction, int verdict) {
        if (verdict == BLOCK || verdict == ACCEPT) {
            spd.setDefaultAction(direction, verdict == BLOCK ? Action.BLOCK : Action.ALLOW);
        }
    }
}
