package org.xfrmbridge.pfkey.map;

import org.xfrmbridge.km.Errno;
import org.xfrmbridge.km.XfrmException;
import org.xfrmbridge.xfrm.Mode;

/** {@code IPSEC_MODE_*} of linux/ipsec.h. */
public final class Modes {
    private static final int ANY = 0;
    private static final int TRANSPORT = 1;
    private static final int TUNNEL = 2;
    private static final int BEET = 3;

    private Modes() {}

    /** @throws XfrmException EINVAL if it is none */
    public static Mode of(int number) throws XfrmException {
        return switch (number) {
            case ANY, TRANSPORT -> Mode.TRANSPORT;
            case TUNNEL -> Mode.TUNNEL;
            case BEET -> Mode.BEET;
            default -> throw new XfrmException(Errno.EINVAL);
        };
    }

    /** @throws XfrmException EINVAL if PF_KEY has no number for it */
    static int number(Mode mode) throws XfrmException {
        return switch (mode) {
            case TRANSPORT -> TRANSPORT;
            case TUNNEL -> TUNNEL;
            case BEET -> BEET;
            default -> throw new XfrmException(Errno.EINVAL);
        };
    }
}
