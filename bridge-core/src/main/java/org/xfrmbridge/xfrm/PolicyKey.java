package org.xfrmbridge.xfrm;

/** Names a Policy by index, or, with index 0, by selector and security context ({@code struct xfrm_userpolicy_id}). */
public record PolicyKey(
        PolicySpec.Type type,
        Direction direction,
        int index,
        Selector selector,
        Mark mark,
        int ifId,
        SecurityContext securityContext)
        implements PolicyName {}
