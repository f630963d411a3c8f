package org.xfrmbridge.it.conformance;

import java.util.Map;
import org.xfrmbridge.netlink.msg.XfrmAttribute;
import org.xfrmbridge.netlink.msg.XfrmMessage;

/**
 * What to ask a kernel, by what it can answer.
 *
 * @param maxAttribute the last attribute its version knows: a later one it ignores, which is right for it and says
 *     nothing of us
 * @param weights how often each message type is sent
 */
record Profile(int maxAttribute, Map<Integer, Integer> weights) {
    /** For a kernel without a transform: policies, larval states, and states it refuses by their look. */
    static final Profile POLICIES = new Profile(XfrmAttribute.MAX, weights(3, 8));

    /** For Linux 6.12 with ESP. */
    static final Profile STATES_6_12 = new Profile(XfrmAttribute.NAT_KEEPALIVE_INTERVAL, weights(12, 3));

    /** For Linux 6.1 with ESP. */
    static final Profile STATES_6_1 = new Profile(XfrmAttribute.MTIMER_THRESH, weights(12, 3));

    /**
     * Since Linux 6.14, the one with IP-TFS, MIGRATE finds the policy that traffic would take; before, that of the very
     * selector.
     */
    boolean migratesByTraffic() {
        return maxAttribute >= XfrmAttribute.IPTFS_DROP_TIME;
    }

    /** Whether there are States that carry packets. */
    boolean hasTransforms() {
        return this != POLICIES;
    }

    private static Map<Integer, Integer> weights(int states, int policies) {
        return Map.ofEntries(
                Map.entry(XfrmMessage.NEWSA, 2 * states),
                Map.entry(XfrmMessage.UPDSA, states),
                Map.entry(XfrmMessage.DELSA, states / 2),
                Map.entry(XfrmMessage.GETSA, 2 * states),
                Map.entry(XfrmMessage.ALLOCSPI, 10),
                Map.entry(XfrmMessage.EXPIRE, states / 2),
                Map.entry(XfrmMessage.NEWAE, states),
                Map.entry(XfrmMessage.GETAE, states / 2),
                Map.entry(XfrmMessage.FLUSHSA, 2),
                Map.entry(XfrmMessage.NEWPOLICY, 3 * policies),
                Map.entry(XfrmMessage.UPDPOLICY, 2 * policies),
                Map.entry(XfrmMessage.DELPOLICY, policies),
                Map.entry(XfrmMessage.GETPOLICY, 2 * policies),
                Map.entry(XfrmMessage.POLEXPIRE, policies),
                Map.entry(XfrmMessage.FLUSHPOLICY, 2),
                Map.entry(XfrmMessage.ACQUIRE, 4),
                Map.entry(XfrmMessage.MIGRATE, 6),
                Map.entry(XfrmMessage.REPORT, 1),
                Map.entry(XfrmMessage.MAPPING, 1),
                Map.entry(XfrmMessage.NEWSADINFO, 1),
                Map.entry(XfrmMessage.GETSADINFO, 2),
                Map.entry(XfrmMessage.NEWSPDINFO, 2),
                Map.entry(XfrmMessage.GETSPDINFO, 2),
                Map.entry(XfrmMessage.SETDEFAULT, 2),
                Map.entry(XfrmMessage.GETDEFAULT, 2),
                Map.entry(XfrmMessage.MIGRATE_STATE, 1));
    }
}
