package org.xfrmbridge.xfrm;

/**
 * Names a State as DELSA, GETSA, EXPIRE and AEVENT do ({@code struct xfrm_usersa_id}).
 *
 * @param mark the State's, value and mask alike; null for the State that a packet without a mark would find, as PF_KEY
 *     names them
 * @param saddr counts only for mobility protocols
 */
public record StateKey(StateId id, int family, Mark mark, Address saddr) {}
