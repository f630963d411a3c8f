package org.xfrmbridge.datapath;

import java.util.Arrays;
import org.xfrmbridge.io.HostNetwork;
import org.xfrmbridge.xfrm.Address;

/** Remembers from which address the host speaks to a destination, as long as its network stays as it is. One thread. */
final class SourceAddressCache {
    private static final int ENTRIES = 64;

    private final HostNetwork network;
    private final Address[] destinations = new Address[ENTRIES];
    private final int[] families = new int[ENTRIES];
    private final Address[] sources = new Address[ENTRIES];
    private int generation;

    SourceAddressCache(HostNetwork network) {
        this.network = network;
    }

    /** Null if it has no way there. */
    Address towards(int family, long high, long low) {
        int current = network.generation();
        if (current != generation) {
            Arrays.fill(destinations, null);
            generation = current;
        }
        int at = (int) ((high ^ low ^ family) * 0x9e3779b97f4a7c15L >>> 58);
        Address known = destinations[at];
        if (known == null || families[at] != family || known.high() != high || known.low() != low) {
            destinations[at] = new Address(high, low);
            families[at] = family;
            sources[at] = network.sourceFor(family, destinations[at]);
        }
        return sources[at];
    }
}
