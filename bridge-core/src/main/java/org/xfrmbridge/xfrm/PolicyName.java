package org.xfrmbridge.xfrm;

/** What tells a Policy from all others: of two with the same name one replaces the other. */
public sealed interface PolicyName permits PolicySpec, PolicyKey {
    PolicySpec.Type type();

    Direction direction();

    Selector selector();

    Mark mark();

    int ifId();

    /** The attribute as it came, null if absent. */
    SecurityContext securityContext();
}
