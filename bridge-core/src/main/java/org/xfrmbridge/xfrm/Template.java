package org.xfrmbridge.xfrm;

/**
 * One transform a Policy asks for, {@code struct xfrm_user_tmpl}: which States may serve, and what to ask a key manager for
 * when none does. A Spi of 0 and a saddr of "any" are wildcards; algorithm masks are kept for the clients.
 */
public record Template(
        StateId id,
        int family,
        Address saddr,
        int reqid,
        Mode mode,
        int share,
        boolean optional,
        int authMask,
        int cipherMask,
        int compressionMask) {
    /** Most templates a Policy may have, XFRM_MAX_DEPTH. */
    public static final int MAX_DEPTH = 6;
}
