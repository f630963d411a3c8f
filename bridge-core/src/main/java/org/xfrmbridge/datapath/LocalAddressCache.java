package org.xfrmbridge.datapath;

import java.util.Arrays;
import org.xfrmbridge.io.HostNetwork;

/** Remembers which destinations are the host's own, as long as the host's addresses stay as they are. One thread. */
final class LocalAddressCache {
    private static final int ENTRIES = 256;

    private final HostNetwork network;
    private final long[] high = new long[ENTRIES];
    private final long[] low = new long[ENTRIES];
    private final int[] family = new int[ENTRIES];
    private final boolean[] local = new boolean[ENTRIES];
    private int generation;

    LocalAddressCache(HostNetwork network) {
        this.network = network;
    }

    boolean contains(int ofFamily, long addressHigh, long addressLow) {
        int current = network.generation();
        if (current != generation) {
            Arrays.fill(family, 0);
            generation = current;
        }
        long mixed = (addressHigh ^ addressLow ^ ofFamily) * 0x9e3779b97f4a7c15L;
        int at = (int) (mixed >>> 56);
        if (family[at] != ofFamily || high[at] != addressHigh || low[at] != addressLow) {
            local[at] = network.isLocal(ofFamily, addressHigh, addressLow);
            family[at] = ofFamily;
            high[at] = addressHigh;
            low[at] = addressLow;
        }
        return local[at];
    }
}
