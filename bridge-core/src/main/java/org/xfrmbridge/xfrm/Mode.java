package org.xfrmbridge.xfrm;

/** How a State or Template encapsulates; {@code XFRM_MODE_*} in linux/xfrm.h. The ordinal is the kernel's number. */
public enum Mode {
    TRANSPORT,
    TUNNEL,
    ROUTE_OPTIMIZATION,
    IN_TRIGGER,
    BEET,
    IPTFS;

    private static final Mode[] VALUES = values();

    /** The mode of a kernel number, or null if there is none. */
    public static Mode of(int number) {
        return number >= 0 && number < VALUES.length ? VALUES[number] : null;
    }

    public int number() {
        return ordinal();
    }

    /** Whether the mode puts an IP header of its own in front (tunnel, BEET, IP-TFS). */
    public boolean hasOuterHeader() {
        return this == TUNNEL || this == BEET || this == IPTFS;
    }
}
