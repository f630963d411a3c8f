package org.xfrmbridge.db;

import java.util.concurrent.atomic.AtomicIntegerArray;
import org.xfrmbridge.xfrm.Address;
import org.xfrmbridge.xfrm.Template;

/**
 * Whether a State has come, or was given another spec, that may be a better answer to what {@link Sad#find} was asked.
 * That the State which was found has gone it does not say: that one is dead. Made by {@link Sad#freshness} before the
 * Sad is asked; any thread, and it never allocates after construction.
 */
public final class StateFreshness {
    private final AtomicIntegerArray newGroups;
    private final StateGroup exact;
    private final StateGroup wildcard;
    private final int exactStripe;
    private final int wildcardStripe;
    private final int exactSeen;
    private final int wildcardSeen;

    StateFreshness(Sad sad, Template template, int ifId, Address daddr, Address saddr) {
        newGroups = sad.newGroups();
        int family = template.family();
        int kind = StateGroup.kind(template);
        exactStripe = Sad.stripe(daddr, saddr, family);
        wildcardStripe = Sad.stripe(daddr, Address.ANY, family);
        // Read before the groups are looked for: one that comes meanwhile makes the answer stale, not wrong.
        int exactGroups = newGroups.get(exactStripe);
        int wildcardGroups = newGroups.get(wildcardStripe);
        exact = sad.group(daddr, saddr, kind, template.reqid(), ifId);
        wildcard = sad.group(daddr, Address.ANY, kind, template.reqid(), ifId);
        exactSeen = exact == null ? exactGroups : exact.version();
        wildcardSeen = wildcard == null ? wildcardGroups : wildcard.version();
    }

    /** Costs two reads. It may also become false where nothing better has come. */
    public boolean holds() {
        return holds(exact, exactSeen, exactStripe) && holds(wildcard, wildcardSeen, wildcardStripe);
    }

    private boolean holds(StateGroup group, int seen, int stripe) {
        return group == null ? seen == newGroups.get(stripe) : seen == group.version() && seen != StateGroup.GONE;
    }
}
