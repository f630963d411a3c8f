package org.xfrmbridge.xfrm;

/**
 * Bits of {@code xfrm_usersa_info.flags} ({@code XFRM_STATE_*}) and of XFRMA_SA_EXTRA_FLAGS ({@code XFRM_SA_XFLAG_*}).
 */
public final class StateFlags {
    public static final int NOECN = 1;
    public static final int DECAP_DSCP = 2;
    public static final int NOPMTUDISC = 4;
    public static final int WILDRECV = 8;
    public static final int ICMP = 16;
    public static final int AF_UNSPEC = 32;
    public static final int ALIGN4 = 64;
    public static final int ESN = 128;

    public static final int EXTRA_DONT_ENCAP_DSCP = 1;
    public static final int EXTRA_OSEQ_MAY_WRAP = 2;

    private StateFlags() {}
}
