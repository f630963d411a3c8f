package org.xfrmbridge.db;

import java.util.Arrays;
import org.xfrmbridge.xfrm.AddressFamily;
import org.xfrmbridge.xfrm.Flow;

/**
 * What was found for the flows seen lately: bounded, of one datapath thread. It allocates when it is made, and once
 * more with the first flow that is not IPv4. Four slots per set; a flow whose set is full may take an empty slot in one
 * other, so that nearly as many flows as there are slots can stay. When both are full the least used of its own goes
 * first: a flood of flows seen once pushes out its own kind, and flows that ended are forgotten slowly.
 *
 * <p>Values carry whatever makes them stale (generations); the caller checks, and puts a fresh one in the same place.
 */
public final class FlowCache<V> {
    private static final int WAYS = 4;
    private static final int WORDS = 4;

    /** The header of a large array ends 16 bytes behind the start of a cache line: so no key lies across two. */
    private static final int KEYS_START = 2;

    // A set is a word of four lanes of 16 bits: 14 of the hash, 0 where nothing is kept, and how often it was used of
    // late, 3 at most.
    private static final int LANE_BITS = 16;
    private static final int TAG_MASK = 0x3fff;
    private static final int USE = 0x4000;
    private static final long LANES = 0x0001_0001_0001_0001L;
    private static final long LANE_TOPS = LANES << LANE_BITS - 1;

    private final int sets;
    private final long[] lanes;
    /** All of an IPv4 flow, and what is not in {@link #wideKeys} of others. */
    private final long[] keys;

    /** Null while all flows are IPv4: as large as the other. */
    private long[] wideKeys;

    private final Object[] values;

    private final long seed0;
    private final long seed1;
    private final long seed2;
    private final long seed3;
    private int size;

    /**
     * @param expectedFlows rounded up to a power of two: how many fit
     * @param seed makes it unforeseeable which flows compete for a slot
     */
    public FlowCache(int expectedFlows, long seed) {
        sets = Math.max(1, Integer.highestOneBit(Math.max(1, expectedFlows - 1)) * 2 / WAYS);
        lanes = new long[sets];
        keys = new long[KEYS_START + sets * WAYS * WORDS];
        values = new Object[sets * WAYS];
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
        long hash = hash(flow);
        int slot = find(flow, hash);
        if (slot < 0) {
            return null;
        }
        int set = slot / WAYS;
        int shift = slot % WAYS * LANE_BITS;
        if ((lanes[set] >>> shift & 3 * USE) != 3 * USE) {
            lanes[set] += (long) USE << shift;
        }
        return (V) values[slot];
    }

    /** Keeps a value for the flow, in place of what was there for it, or else of what its set can best spare. */
    public void put(Flow flow, V value) {
        long hash = hash(flow);
        int slot = find(flow, hash);
        if (slot < 0) {
            slot = spare(hash);
            size += values[slot] == null ? 1 : 0;
            int shift = slot % WAYS * LANE_BITS;
            int set = slot / WAYS;
            lanes[set] = lanes[set] & ~(0xffffL << shift) | (long) tag(hash) << shift;
            writeKey(flow, keyOf(slot));
        }
        values[slot] = value;
    }

    public void clear() {
        Arrays.fill(values, null);
        Arrays.fill(lanes, 0);
        size = 0;
    }

    private int set(long hash) {
        return (int) hash & sets - 1;
    }

    private int otherSet(long hash) {
        return (int) (hash >>> 24) & sets - 1;
    }

    private static int tag(long hash) {
        int tag = (int) (hash >>> Long.SIZE - 14);
        return tag == 0 ? TAG_MASK : tag;
    }

    private static int keyOf(int slot) {
        return KEYS_START + slot * WORDS;
    }

    private int find(Flow flow, long hash) {
        int slot = find(flow, hash, set(hash));
        return slot >= 0 ? slot : find(flow, hash, otherSet(hash));
    }

    private int find(Flow flow, long hash, int set) {
        long found = lanesOf(lanes[set], tag(hash));
        while (found != 0) {
            int slot = set * WAYS + Long.numberOfTrailingZeros(found) / LANE_BITS;
            if (hasKey(flow, keyOf(slot))) {
                return slot;
            }
            found &= found - 1;
        }
        return -1;
    }

    /** The top bit of each lane that has a tag. */
    private static long lanesOf(long word, int tag) {
        long difference = (word ^ tag * LANES) & TAG_MASK * LANES;
        return ~(difference + ~LANE_TOPS) & LANE_TOPS;
    }

    /**
     * An empty slot of the hash's set, or of its other one, else one of its set that was not used of late. When there
     * is none all have been used one time less; likewise now and then, chance being bits of the hash that chose neither
     * set nor tag.
     */
    private int spare(long hash) {
        int set = set(hash);
        int empty = emptySlot(set);
        empty = empty < 0 ? emptySlot(otherSet(hash)) : empty;
        if (empty >= 0) {
            return empty;
        }
        int chance = (int) (hash >>> 32) & 0x3f;
        if (chance < WAYS) {
            forgetUse(set);
        }
        while (true) {
            for (int i = 0; i < WAYS; i++) {
                int way = chance + i & WAYS - 1;
                if ((lanes[set] >>> way * LANE_BITS & 3 * USE) == 0) {
                    return set * WAYS + way;
                }
            }
            forgetUse(set);
        }
    }

    private int emptySlot(int set) {
        long empty = lanesOf(lanes[set], 0);
        return empty == 0 ? -1 : set * WAYS + Long.numberOfTrailingZeros(empty) / LANE_BITS;
    }

    private void forgetUse(int set) {
        long used = (lanes[set] | lanes[set] >>> 1) & USE * LANES;
        lanes[set] -= used;
    }

    private static boolean isWide(Flow flow) {
        return flow.family != AddressFamily.INET;
    }

    /** Both addresses of an IPv4 flow. */
    private static long addresses(Flow flow) {
        return isWide(flow) ? flow.daddrLow : flow.saddrHigh & ~0xffffffffL | flow.daddrHigh >>> 32;
    }

    private static long ports(Flow flow) {
        return (long) flow.family << 40 | (long) flow.protocol << 32 | (long) flow.sport << 16 | flow.dport;
    }

    private static long rest(Flow flow) {
        return (long) flow.mark << 32 | Integer.toUnsignedLong(flow.ifindex);
    }

    /** All words at once: one branch for a key, not four. */
    private boolean hasKey(Flow flow, int at) {
        long difference = keys[at] ^ addresses(flow)
                | keys[at + 1] ^ ports(flow)
                | keys[at + 2] ^ rest(flow)
                | keys[at + 3] ^ flow.ifId;
        return difference == 0 && (!isWide(flow) || hasWideKey(flow, at));
    }

    private boolean hasWideKey(Flow flow, int at) {
        return (wideKeys[at] ^ flow.saddrHigh | wideKeys[at + 1] ^ flow.saddrLow | wideKeys[at + 2] ^ flow.daddrHigh)
                == 0;
    }

    private void writeKey(Flow flow, int at) {
        keys[at] = addresses(flow);
        keys[at + 1] = ports(flow);
        keys[at + 2] = rest(flow);
        keys[at + 3] = flow.ifId;
        if (isWide(flow)) {
            if (wideKeys == null) {
                wideKeys = new long[keys.length];
            }
            wideKeys[at] = flow.saddrHigh;
            wideKeys[at + 1] = flow.saddrLow;
            wideKeys[at + 2] = flow.daddrHigh;
        }
    }

    /** Both halves of 128-bit products, each of two words under secret seeds. */
    private long hash(Flow flow) {
        long sum = multiply(addresses(flow) ^ seed0, ports(flow) ^ seed1)
                + multiply(rest(flow) ^ seed2, flow.ifId ^ seed3);
        if (isWide(flow)) {
            sum += multiply(flow.saddrHigh ^ seed3, flow.daddrHigh ^ seed0) ^ flow.saddrLow * seed2;
        }
        return multiply(sum ^ seed1, seed2);
    }

    private static long multiply(long a, long b) {
        return a * b ^ Math.unsignedMultiplyHigh(a, b);
    }
}
