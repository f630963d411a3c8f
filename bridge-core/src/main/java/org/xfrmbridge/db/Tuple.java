package org.xfrmbridge.db;

import org.xfrmbridge.xfrm.Flow;
import org.xfrmbridge.xfrm.PolicySpec;
import org.xfrmbridge.xfrm.Selector;

/**
 * The policies of one {@link TupleShape}, hashed by the bits the shape names. All of one hash stand in one chain, by rank. The
 * control thread writes, any thread reads.
 */
final class Tuple {
    private static final long[] FACTORS = {
        0x9E3779B97F4A7C15L, 0xC2B2AE3D27D4EB4FL, 0xD6E8FEB86659FD93L, 0xA0761D6478BD642FL, 0xE7037ED1A0B428DBL,
        0x8EBC6AF09C88C6E3L, 0x589965CC75374CC3L
    };

    final TupleShape shape;
    private final long daddrHighMask;
    private final long daddrLowMask;
    private final long saddrHighMask;
    private final long saddrLowMask;
    private final long portsMask;
    private final long restMask;
    private final boolean hasLowBits;

    private final Slots<SpdEntry> chains = new Slots<>();
    private int size;
    private int removals;
    private long bestRank = SpdEntry.LAST_RANK;

    /** Index in {@link Tuples}. */
    int position;

    Tuple(TupleShape shape) {
        this.shape = shape;
        daddrHighMask = highMask(shape.daddrPrefix());
        daddrLowMask = highMask(Math.max(shape.daddrPrefix() - 64, 0));
        saddrHighMask = highMask(shape.saddrPrefix());
        saddrLowMask = highMask(Math.max(shape.saddrPrefix() - 64, 0));
        hasLowBits = shape.daddrPrefix() > 64 || shape.saddrPrefix() > 64;
        portsMask = ports(
                shape.has(TupleShape.SPORT) ? 0xffff : 0,
                shape.has(TupleShape.DPORT) ? 0xffff : 0,
                shape.has(TupleShape.PROTOCOL) ? 0xff : 0);
        restMask = rest(shape.has(TupleShape.INTERFACE) ? -1 : 0, shape.has(TupleShape.MARK) ? -1 : 0);
    }

    /** A mask of the first bits of a long, for up to 64 and more. */
    static long highMask(int prefixBits) {
        return prefixBits == 0 ? 0 : prefixBits >= 64 ? -1L : -1L << 64 - prefixBits;
    }

    private static long ports(int sport, int dport, int protocol) {
        return (long) sport << 24 | (long) dport << 8 | protocol;
    }

    private static long rest(int ifindex, int mark) {
        return (long) ifindex << 32 | Integer.toUnsignedLong(mark);
    }

    int hash(Flow flow) {
        long sum = (flow.daddrHigh & daddrHighMask) * FACTORS[0]
                + (flow.saddrHigh & saddrHighMask) * FACTORS[1]
                + (ports(flow.sport, flow.dport, flow.protocol) & portsMask) * FACTORS[2]
                + (rest(flow.ifindex, flow.mark) & restMask) * FACTORS[3]
                + flow.ifId * FACTORS[4];
        if (hasLowBits) {
            sum += (flow.daddrLow & daddrLowMask) * FACTORS[5] + (flow.saddrLow & saddrLowMask) * FACTORS[6];
        }
        return Hashing.fold(sum ^ sum >>> 32);
    }

    int hash(PolicySpec spec) {
        Selector selector = spec.selector();
        long sum = (selector.daddr().high() & daddrHighMask) * FACTORS[0]
                + (selector.saddr().high() & saddrHighMask) * FACTORS[1]
                + (ports(selector.sport(), selector.dport(), selector.protocol()) & portsMask) * FACTORS[2]
                + (rest(selector.ifindex(), spec.mark().value()) & restMask) * FACTORS[3]
                + spec.ifId() * FACTORS[4];
        if (hasLowBits) {
            sum += (selector.daddr().low() & daddrLowMask) * FACTORS[5] + (selector.saddr().low() & saddrLowMask) * FACTORS[6];
        }
        return Hashing.fold(sum ^ sum >>> 32);
    }

    /** The best of a chain that a flow may match; more of them follow. Any thread. */
    SpdEntry chain(int hash) {
        Slots.Table<SpdEntry> table = chains.table();
        for (int i = table.find(hash); i >= 0; i = table.findNext(i, hash)) {
            SpdEntry head = table.at(i);
            if (head != null) {
                return head;
            }
        }
        return null;
    }

    boolean isEmpty() {
        return size == 0;
    }

    /** No policy here has a lower rank. */
    long bestRank() {
        return bestRank;
    }

    void lowerBestRank(long rank) {
        bestRank = rank;
    }

    void add(SpdEntry entry) {
        SpdEntry head = chain(entry.hash);
        SpdEntry before = null;
        SpdEntry after = head;
        while (after != null && after.precedes(entry)) {
            before = after;
            after = after.next;
        }
        entry.next = after;
        if (before != null) {
            before.next = entry;
        } else if (head != null) {
            chains.replace(head, entry, entry.hash);
        } else {
            chains.add(entry, entry.hash);
        }
        size++;
    }

    /** Its own link stays, for readers that stand on it. */
    void remove(SpdEntry entry) {
        SpdEntry head = chain(entry.hash);
        if (head != entry) {
            SpdEntry before = head;
            while (before.next != entry) {
                before = before.next;
            }
            before.next = entry.next;
        } else if (entry.next != null) {
            chains.replace(entry, entry.next, entry.hash);
        } else {
            chains.remove(entry, entry.hash);
        }
        size--;
        removals++;
    }

    /** Whether so many have gone that the best rank is worth looking for again. */
    boolean isWorn() {
        return removals > size / 2 + 8;
    }

    void findBestRank() {
        bestRank = SpdEntry.LAST_RANK;
        removals = 0;
        chains.forEach(head -> bestRank = Math.min(bestRank, head.rank));
    }
}
