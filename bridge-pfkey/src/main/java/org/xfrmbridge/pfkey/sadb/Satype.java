package org.xfrmbridge.pfkey.sadb;

/** Types of States, {@code SADB_SATYPE_*} of linux/pfkeyv2.h. Plain numbers, as a client may send any. */
public final class Satype {
    public static final int UNSPEC = 0;
    public static final int AH = 2;
    public static final int ESP = 3;
    public static final int IPCOMP = 9;

    /** {@code SADB_SATYPE_MAX}. */
    public static final int MAX = IPCOMP;

    private Satype() {}
}
