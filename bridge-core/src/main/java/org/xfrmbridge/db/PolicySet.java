package org.xfrmbridge.db;

import org.xfrmbridge.xfrm.Flow;
import org.xfrmbridge.xfrm.PolicyName;

/**
 * Some policies of a {@link Classifier}, arranged for one lookup. Never changes once made: a change makes new sets on
 * the way down to it and shares all others, so that whoever holds one sees the policies of one moment, whatever the
 * control thread does.
 */
sealed interface PolicySet extends PolicyNode permits SpdEntry, PolicyArray, TupleSpace, PoliciesByName, Trie {
    /**
     * The policy here that a flow matches and that precedes {@code best}, or else {@code best}.
     *
     * @param lists only policies of these are looked at, see {@link SpdEntry#list}
     */
    SpdEntry better(Flow flow, int lists, SpdEntry best);

    /**
     * The policy that a client means, or null.
     *
     * @param probe an entry with the bits of that name
     */
    SpdEntry named(PolicyName name, SpdEntry probe);
}
