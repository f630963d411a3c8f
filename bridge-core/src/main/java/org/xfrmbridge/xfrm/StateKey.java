package org.xfrmbridge.xfrm;

/** Names a State as DELSA, GETSA, EXPIRE and AEVENT do ({@code struct xfrm_usersa_id}); saddr counts only for mobility protocols. */
public record StateKey(StateId id, int family, Mark mark, Address saddr) {}
