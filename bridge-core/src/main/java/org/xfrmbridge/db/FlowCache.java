package org.xfrmbridge.db;

import java.util.Arrays;
import org.xfrmbridge.xfrm.Flow;

/**
 * What was found for the flows seen lately: bounded, of one datapath thread, and it never allocates after construction. Four places per set;
 * a value that was used since it came stays before one that was not, so that a flood of flows seen once pushes out its own kind first.
 *
 * <p>Values carry whatever makes them stale (generations); the caller checks, and puts a fresh one in the same place.
 */
public final class FlowCache<V> {
    private static final int WAYS = 4;
    private static final int WORDS = 8;

    private final int sets;
    private final int[] hashes;
    private final long[] keys;
    private final Object[] values;
    /** Per set: a bit for each place used since the hand passed, and the hand above them. */
    private final byte[] clocks;

    private final long seed0;
    private final long seed1;
    private final long seed2;
    private final long seed3;
    private int size;

    /**
     * @param expectedFlows rounded up to a power of two: how many fit
     * @param seed makes it unforeseeable which flows compete for a place
     */
    public FlowCache(int expectedFlows, long seed) {
        sets = Math.max(1, Integer.highestOneBit(Math.max(1, expectedFlows - 1)) * 2 / WAYS);
        hashes = new int[sets * WAYS];
        keys = new long[sets * WAYS * WORDS];
        values = new Object[sets * WAYS];
        clocks = new byte[sets];
        seed0 = Hashing.mix(seed, 1) | 1;
        seed1 = Hashing.mix(seed, 2) | 1;
        seed2 = Hashing.mix(seed, 3) | 1;
        seed3 = Hashing.mix(seed, 4) | 1;
    }

    public int capacity() {
        return sets * WAYS;
    }

    public int size() {
        return size;
    }

    /** What was put for a flow with the same fields, or null. */
    @SuppressWarnings("unchecked")
    public V get(Flow flow) {
        int place = find(flow, hash(flow));
        if (place < 0) {
            return null;
        }
        clocks[place / WAYS] |= (byte) (1 << place % WAYS);
        return (V) values[place];
    }

    /** Keeps a value for the flow, in place of what was there for it, or else of what its set can best spare. */
    public void put(Flow flow, V value) {
        int hash = hash(flow);
        int place = find(flow, hash);
        if (place < 0) {
            place = spare(hash & sets - 1);
            size += values[place] == null ? 1 : 0;
            hashes[place] = hash;
            writeKey(flow, place * WORDS);
        }
        values[place] = value;
    }

    public void clear() {
        Arrays.fill(values, null);
        Arrays.fill(hashes, 0);
        Arrays.fill(clocks, (byte) 0);
        size = 0;
    }

    private int find(Flow flow, int hash) {
        int first = (hash & sets - 1) * WAYS;
        for (int place = first; place < first + WAYS; place++) {
            if (hashes[place] == hash && hasKey(flow, place * WORDS) && values[place] != null) {
                return place;
            }
        }
        return -1;
    }

    /** An empty place, or the first one from the hand on that was not used since the hand last passed. */
    private int spare(int set) {
        int first = set * WAYS;
        for (int place = first; place < first + WAYS; place++) {
            if (values[place] == null) {
                return place;
            }
        }
        int used = clocks[set] & 0xf;
        int hand = clocks[set] >>> WAYS & WAYS - 1;
        while ((used & 1 << hand) != 0) {
            used &= ~(1 << hand);
            hand = hand + 1 & WAYS - 1;
        }
        clocks[set] = (byte) (used | (hand + 1 & WAYS - 1) << WAYS);
        return first + hand;
    }

    private static long ports(Flow flow) {
        return (long) flow.family << 40 | (long) flow.protocol << 32 | (long) flow.sport << 16 | flow.dport;
    }

    private static long rest(Flow flow) {
        return (long) flow.mark << 32 | Integer.toUnsignedLong(flow.ifindex);
    }

    private boolean hasKey(Flow flow, int at) {
        return keys[at] == flow.saddrHigh
                && keys[at + 1] == flow.daddrHigh
                && keys[at + 2] == ports(flow)
                && keys[at + 3] == rest(flow)
                && keys[at + 4] == flow.ifId
                && keys[at + 5] == flow.saddrLow
                && keys[at + 6] == flow.daddrLow;
    }

    private void writeKey(Flow flow, int at) {
        keys[at] = flow.saddrHigh;
        keys[at + 1] = flow.daddrHigh;
        keys[at + 2] = ports(flow);
        keys[at + 3] = rest(flow);
        keys[at + 4] = flow.ifId;
        keys[at + 5] = flow.saddrLow;
        keys[at + 6] = flow.daddrLow;
    }

    /** Both halves of 128-bit products, each of two words under secret seeds. */
    private int hash(Flow flow) {
        long sum = multiply(flow.saddrHigh ^ seed0, flow.daddrHigh ^ seed1)
                + multiply(ports(flow) ^ seed2, rest(flow) ^ seed3)
                + multiply(flow.saddrLow ^ seed1, flow.daddrLow ^ seed2);
        return (int) multiply(sum ^ seed3, flow.ifId ^ seed0);
    }

    private static long multiply(long a, long b) {
        return a * b ^ Math.unsignedMultiplyHigh(a, b);
    }
}
