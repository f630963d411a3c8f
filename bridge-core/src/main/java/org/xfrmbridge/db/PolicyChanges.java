package org.xfrmbridge.db;

import java.util.concurrent.atomic.AtomicLongArray;
import org.xfrmbridge.xfrm.AddressFamily;
import org.xfrmbridge.xfrm.Direction;
import org.xfrmbridge.xfrm.Flow;
import org.xfrmbridge.xfrm.PolicySpec;

/**
 * Which policies have come to the {@link Spd} lately, and so may rule flows that another ruled before. One that leaves
 * is no change but to flows that it ruled, and those see that it is dead; the {@link Spd} names the exception.
 *
 * <p>Of the thousands that may come between two packets of a flow it is to see the few that may be for it. So a policy
 * is told in a stripe by a hash of its two prefixes, each cut to the next of six lengths; which two lengths these are
 * is its level. A flow has a stripe at each level, by its addresses cut likewise: who is between two hosts looks at
 * what came between these, between their /24s, from the one to any, and so on. Flows out of the host do not see what is
 * for the others, nor families what is for each other.
 */
final class PolicyChanges extends ChangeLog<PolicySpec> {
    /** How many are kept, of all stripes together. */
    static final int KEPT = 1 << 14;

    private static final int STRIPES = 1 << 14;

    /** More lengths, and a flow reads more stripes; fewer, and more in them is not for it. */
    private static final int[] CUTS_4 = {0, 2, 6, 16, 24, 32};

    private static final int[] CUTS_6 = {0, 8, 32, 48, 64, 128};
    private static final int CUTS = CUTS_4.length;
    private static final int LEVELS = CUTS * CUTS;

    /** Of policies for all addresses. */
    private static final int ANY_LEVEL = 0;

    /** For each length of a prefix, which of the cuts is the longest that is no longer. */
    private static final byte[] CUT_OF_4 = cutOf(CUTS_4);

    private static final byte[] CUT_OF_6 = cutOf(CUTS_6);

    /**
     * For each group of flows a bit for each level that any policy has been at: most databases have few levels, and the
     * others are not looked at.
     */
    private final AtomicLongArray levels = new AtomicLongArray(4);

    PolicyChanges() {
        super(STRIPES, KEPT);
    }

    private static byte[] cutOf(int[] cuts) {
        byte[] cutOf = new byte[cuts[CUTS - 1] + 1];
        for (byte cut = 0; cut < CUTS; cut++) {
            for (int length = cuts[cut]; length < cutOf.length; length++) {
                cutOf[length] = cut;
            }
        }
        return cutOf;
    }

    /**
     * The flows of a direction and family, and whose changes they see. Those of dir fwd may be ruled by policies of dir
     * in, too.
     */
    static int group(Direction direction, int family) {
        return (direction == Direction.OUT ? 0 : 2) + (family == AddressFamily.INET ? 0 : 1);
    }

    /** At which levels, bit by bit, a flow's stripe has had a change after the one with a number. */
    long news(int group, Flow flow, long since) {
        long news = 0;
        for (long left = levels.getAcquire(group); left != 0; left &= left - 1) {
            int level = Long.numberOfTrailingZeros(left);
            // No branch: while changes come, stripes are in the cache of the CPU that adds, and only reads that wait
            // for no other are under way together.
            long behind = since - latest(stripe(group, level, flow)) >>> Long.SIZE - 1;
            news |= behind << level;
        }
        return news;
    }

    /** A flow's stripe at a level. */
    static int stripe(int group, int level, Flow flow) {
        int[] cuts = flow.family == AddressFamily.INET ? CUTS_4 : CUTS_6;
        long daddr = cut(flow.daddrHigh, flow.daddrLow, cuts[level / CUTS]);
        long saddr = cut(flow.saddrHigh, flow.saddrLow, cuts[level % CUTS]);
        return stripe(group, level, daddr, saddr);
    }

    private static int stripe(int group, int level, long daddr, long saddr) {
        return Hashing.hash(daddr ^ (group * LEVELS + level), saddr) & STRIPES - 1;
    }

    /** What all addresses have in common that begin with the same bits. */
    private static long cut(long high, long low, int length) {
        return length > Long.SIZE ? high + low : high & Prefix.highMask(length);
    }

    /** Control thread: the policy can be found. */
    void add(SpdEntry entry) {
        PolicySpec spec = entry.policy().spec();
        int family = entry.family();
        boolean inet = family == AddressFamily.INET;
        byte[] cutOf = inet ? CUT_OF_4 : CUT_OF_6;
        int[] cuts = inet ? CUTS_4 : CUTS_6;
        int daddrCut = cutOf[entry.daddrLength()];
        int saddrCut = cutOf[entry.saddrLength()];
        long daddr = cut(entry.daddrHigh, entry.daddrLow, cuts[daddrCut]);
        long saddr = cut(entry.saddrHigh, entry.saddrLow, cuts[saddrCut]);
        int group = group(spec.direction(), family);
        int level = daddrCut * CUTS + saddrCut;
        use(group, level);
        add(stripe(group, level, daddr, saddr), spec);
    }

    /** Control thread: no flow may go on without asking again. */
    void concernAll() {
        for (int group = 0; group < levels.length(); group++) {
            use(group, ANY_LEVEL);
            add(stripe(group, ANY_LEVEL, 0, 0), null);
        }
    }

    private void use(int group, int level) {
        long used = levels.getPlain(group);
        if ((used & 1L << level) == 0) {
            levels.setRelease(group, used | 1L << level);
        }
    }
}
