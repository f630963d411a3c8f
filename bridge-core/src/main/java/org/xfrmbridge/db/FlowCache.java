package org.xfrmbridge.db;

import java.util.Arrays;
import org.xfrmbridge.xfrm.Flow;

/**
 * What was found for the flows seen lately: bounded, of one datapath thread, and it never allocates after construction. Four places per set;
 * the least used goes first, so that a flood of flows seen once pushes out its own kind, and flows that ended are forgotten slowly.
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
    /** Per set, two bits for each place: how often it was used of late, 3 at most. */
    private final byte[] uses;

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
        uses = new byte[sets];
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
        int set = place / WAYS;
        int shift = 2 * (place % WAYS);
        if ((uses[set] >>> shift & 3) != 3) {
            uses[set] += (byte) (1 << shift);
        }
        return (V) values[place];
    }

    /** Keeps a value for the flow, in place of what was there for it, or else of what its set can best spare. */
    public void put(Flow flow, V value) {
        int hash = hash(flow);
        int place = find(flow, hash);
        if (place < 0) {
            place = spare(hash);
            size += values[place] == null ? 1 : 0;
            hashes[place] = hash;
            writeKey(flow, place * WORDS);
        }
        values[place] = value;
    }

    public void clear() {
        Arrays.fill(values, null);
        Arrays.fill(hashes, 0);
        Arrays.fill(uses, (byte) 0);
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

    /**
     * A place of the hash's set: an empty one, else one that was not used of late. When there is none all have been used one time less;
     * likewise now and then, chance being bits of the hash that chose neither set nor place.
     */
    private int spare(int hash) {
        int set = hash & sets - 1;
        int first = set * WAYS;
        for (int place = first; place < first + WAYS; place++) {
            if (values[place] == null) {
                return place;
            }
        }
        if (hash >>> 28 == 0) {
            forgetUse(set);
        }
        while (true) {
            for (int i = 0; i < WAYS; i++) {
                int way = (hash >>> 26) + i & WAYS - 1;
                if ((uses[set] >>> 2 * way & 3) == 0) {
                    return first + way;
                }
            }
            forgetUse(set);
        }
    }

    private void forgetUse(int set) {
        int used = (uses[set] | uses[set] >>> 1) & 0x55;
        uses[set] -= (byte) used;
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
