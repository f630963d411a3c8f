package org.xfrmbridge.xfrm;

import io.soabase.recordbuilder.core.RecordBuilder;

/**
 * One transform a Policy asks for, {@code struct xfrm_user_tmpl}: which States may serve, and what to ask a key manager
 * for when none does. A Spi of 0 and a saddr of "any" are wildcards; algorithm masks are kept for the clients.
 *
 * @param allAlgorithms whether States of any algorithm may serve, whatever the masks say ({@code allalgs})
 */
@RecordBuilder
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
        int compressionMask,
        boolean allAlgorithms) {
    /** Most templates a Policy may have, XFRM_MAX_DEPTH. */
    public static final int MAX_DEPTH = 6;

    private static final int ALL = -1;

    /** For States of any algorithm and source, in transport mode. */
    public static TemplateBuilder builder() {
        return TemplateBuilder.builder()
                .saddr(Address.ANY)
                .mode(Mode.TRANSPORT)
                .authMask(ALL)
                .cipherMask(ALL)
                .compressionMask(ALL)
                .allAlgorithms(true);
    }

    public TemplateBuilder toBuilder() {
        return TemplateBuilder.builder(this);
    }

    /** As netlink has it: where all bits of the masks are set, any algorithm may serve. */
    public static boolean allowsAll(int authMask, int cipherMask, int compressionMask) {
        return (authMask & cipherMask & compressionMask) == ALL;
    }

    /** As a record's own, but without the classes that the JVM makes for that when it is first asked. */
    @Override
    public boolean equals(Object object) {
        return object instanceof Template other
                && id.equals(other.id)
                && family == other.family
                && saddr.equals(other.saddr)
                && reqid == other.reqid
                && mode == other.mode
                && share == other.share
                && optional == other.optional
                && authMask == other.authMask
                && cipherMask == other.cipherMask
                && compressionMask == other.compressionMask
                && allAlgorithms == other.allAlgorithms;
    }

    /** Of what templates differ in. */
    @Override
    public int hashCode() {
        return 31 * (31 * id.hashCode() + saddr.hashCode()) + reqid;
    }
}
