package org.xfrmbridge.db;

import java.util.Arrays;
import org.xfrmbridge.xfrm.AddressFamily;
import org.xfrmbridge.xfrm.Flow;

/**
 * What was found for the flows seen lately: bounded, of one datapath thread. It is made small, and grows fourfold when
 * half of it is in use, until it has the slots that were asked for; so it allocates then, and with the first flow that
 * is not IPv4. Four slots per set; a flow whose set is full may take an empty slot in one other, so that nearly as many
 * flows as there are slots can stay. When both are full the least used of its own goes first: a flood of flows seen
 * once pushes out its own kind, and flows that ended are forgotten slowly.
 *
 * <p>Values carry whatever makes them stale (generations); the caller checks, and puts a fresh one in the same place.
 */
public final class FlowCache<V> {
    private static final int WAYS = 4;
    private static final int WORDS = 4;

    /** Most hosts have fewer flows, and pages of the process are not touched for those that never come. */
    static final int FIRST_SETS = 1 << 10;

    private static final int GROWTH = 4;

    /** The header of a large array ends 16 bytes behind the start of a cache line: so no key lies across two. */
    private static final int KEYS_START = 2;

    // A set is a word of four lanes of 16 bits: 14 of the hash, 0 where nothing is kept, and how often it was used of
    // late, 3 at most.
    private static final int LANE_BITS = 16;
    private static final int TAG_MASK = 0x3fff;
    private static final int USE = 0x4000;
    private static final long LANES = 0x0001_0001_0001_0001L;
    private static final long LANE_TOPS = LANES << LANE_BITS - 1;

    /** In the word of ports. */
    private static final int FAMILY_SHIFT = 40;

    private final int mostSets;
    private int sets;
    private long[] lanes;
    /** All of an IPv4 flow, and what is not in {@link #wideKeys} of others. */
    private long[] keys;

    /** Null while all flows are IPv4: as large as the other. */
    private long[] wideKeys;

    private Object[] values;

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
        mostSets = Math.max(1, Integer.highestOneBit(Math.max(1, expectedFlows - 1)) * 2 / WAYS);
        sets = Math.min(FIRST_SETS, mostSets);
        lanes = new long[sets];
        keys = new long[KEYS_START + sets * WAYS * WORDS];
        values = new Object[sets * WAYS];
        seed0 = Hashing.mix(seed, 1) | 1;
        seed1 = Hashing.mix(seed, 2) | 1;
        seed2 = Hashing.mix(seed, 3) | 1;
        seed3 = Hashing.mix(seed, 4) | 1;
    }

    /** An empty one that finds what another one has, once it has taken that. */
    private FlowCache(FlowCache<V> other, int sets) {
        mostSets = other.mostSets;
        this.sets = sets;
        lanes = new long[sets];
        keys = new long[KEYS_START + sets * WAYS * WORDS];
        wideKeys = other.wideKeys == null ? null : new long[keys.length];
        values = new Object[sets * WAYS];
        seed0 = other.seed0;
        seed1 = other.seed1;
        seed2 = other.seed2;
        seed3 = other.seed3;
    }

    /** How many flows fit when it has grown. */
    public int capacity() {
        return mostSets * WAYS;
    }

    /** How many fit now. */
    int slots() {
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
            if (size >= slots() / 2 && sets < mostSets) {
                grow();
            }
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

    /** Nothing has changed if there is no memory for that. */
    private void grow() {
        FlowCache<V> larger = new FlowCache<>(this, Math.min(GROWTH * sets, mostSets));
        for (int slot = 0; slot < values.length; slot++) {
            if (values[slot] != null) {
                larger.take(this, slot);
            }
        }
        sets = larger.sets;
        lanes = larger.lanes;
        keys = larger.keys;
        wideKeys = larger.wideKeys;
        values = larger.values;
        size = larger.size;
    }

    /** Takes what another keeps in a slot, as far as it has an empty one. */
    private void take(FlowCache<V> other, int slot) {
        int from = keyOf(slot);
        long hash = other.hash(from);
        int set = set(hash);
        int into = emptySlot(set);
        into = into < 0 ? emptySlot(otherSet(hash)) : into;
        if (into < 0) {
            return;
        }
        size++;
        System.arraycopy(other.keys, from, keys, keyOf(into), WORDS);
        if (wideKeys != null) {
            System.arraycopy(other.wideKeys, from, wideKeys, keyOf(into), WORDS);
        }
        values[into] = other.values[slot];
        long lane = other.lanes[slot / WAYS] >>> slot % WAYS * LANE_BITS & 0xffff;
        lanes[into / WAYS] |= lane << into % WAYS * LANE_BITS;
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
        return (long) flow.family << FAMILY_SHIFT | (long) flow.protocol << 32 | (long) flow.sport << 16 | flow.dport;
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

    private long hash(Flow flow) {
        long narrow = narrowHash(addresses(flow), ports(flow), rest(flow), flow.ifId);
        return isWide(flow) ? finish(narrow + wideHash(flow.saddrHigh, flow.saddrLow, flow.daddrHigh)) : finish(narrow);
    }

    /** Of a flow that is kept. */
    private long hash(int at) {
        long narrow = narrowHash(keys[at], keys[at + 1], keys[at + 2], keys[at + 3]);
        boolean isWide = keys[at + 1] >>> FAMILY_SHIFT != AddressFamily.INET;
        return finish(isWide ? narrow + wideHash(wideKeys[at], wideKeys[at + 1], wideKeys[at + 2]) : narrow);
    }

    /** Both halves of 128-bit products, each of two words under secret seeds. */
    private long narrowHash(long addresses, long ports, long rest, long ifId) {
        return multiply(addresses ^ seed0, ports ^ seed1) + multiply(rest ^ seed2, ifId ^ seed3);
    }

    private long wideHash(long saddrHigh, long saddrLow, long daddrHigh) {
        return multiply(saddrHigh ^ seed3, daddrHigh ^ seed0) ^ saddrLow * seed2;
    }

    private long finish(long sum) {
        return multiply(sum ^ seed1, seed2);
    }

    private static long multiply(long a, long b) {
        return a * b ^ Math.unsignedMultiplyHigh(a, b);
    }
}
