package org.xfrmbridge.datapath;

import java.util.function.BooleanSupplier;
import org.xfrmbridge.xfrm.Flow;

/**
 * The verdicts that a State remembers on flows it carried lately, so that they cost no question to a table that all
 * flows share. One slot until there is more than one flow; bounded, for any number of States may have one. Inbound
 * thread only.
 */
final class VerdictCache {
    static final int MAX_SLOTS = 64;

    private PolicyCheck.Verdict[] slots = new PolicyCheck.Verdict[1];

    /** What was put for the flow, stale or not; or null. */
    PolicyCheck.Verdict get(Flow flow) {
        PolicyCheck.Verdict verdict = slots[slot(flow)];
        return verdict != null && verdict.flow().isSame(flow) ? verdict : null;
    }

    /** @param memory without which it does not grow */
    void put(PolicyCheck.Verdict verdict, BooleanSupplier memory) {
        int slot = slot(verdict.flow());
        PolicyCheck.Verdict there = slots[slot];
        if (there != null
                && slots.length < MAX_SLOTS
                && !there.flow().isSame(verdict.flow())
                && memory.getAsBoolean()) {
            grow();
            slot = slot(verdict.flow());
        }
        slots[slot] = verdict;
    }

    private void grow() {
        PolicyCheck.Verdict[] old = slots;
        slots = new PolicyCheck.Verdict[old.length * 4];
        for (PolicyCheck.Verdict verdict : old) {
            if (verdict != null) {
                slots[slot(verdict.flow())] = verdict;
            }
        }
    }

    private int slot(Flow flow) {
        long mixed =
                flow.saddrHigh + 31 * (flow.saddrLow + 31 * (flow.daddrHigh + 31 * (flow.daddrLow + flow.protocol)));
        mixed = (mixed ^ (long) flow.sport << 16 ^ flow.dport) * 0x9e3779b97f4a7c15L;
        return (int) (mixed >>> 58) & slots.length - 1;
    }
}
