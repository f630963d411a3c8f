package org.xfrmbridge.db;

import org.xfrmbridge.xfrm.Flow;

/** Which bits besides addresses some policies of a {@link SpdEntry#lane} look at. The interface id always counts. */
record FieldMask(byte lane, long portsMask, int markMask, int ifindexMask) {
    static FieldMask of(SpdEntry entry) {
        return new FieldMask(entry.lane, entry.traits.portsMask(), entry.traits.markMask(), ifindexMask(entry.traits));
    }

    boolean fits(SpdEntry entry) {
        return lane == entry.lane
                && portsMask == entry.traits.portsMask()
                && markMask == entry.traits.markMask()
                && ifindexMask == ifindexMask(entry.traits);
    }

    int hash(SpdEntry entry) {
        FieldMatch traits = entry.traits;
        return hash(traits.ports(), traits.mark() & traits.markMask(), traits.ifindex(), traits.ifId());
    }

    int hash(Flow flow) {
        return hash(flow, flow.ifindex);
    }

    /** Whether a flow may have what these look at under a second hash: {@link #hashAttached}. */
    boolean hasTwo(Flow flow) {
        return ifindexMask != 0 && flow.attachedIfindex != 0;
    }

    int hashAttached(Flow flow) {
        return hash(flow, flow.attachedIfindex);
    }

    private int hash(Flow flow, int ifindex) {
        return hash(FieldMatch.ports(flow) & portsMask, flow.mark & markMask, ifindex & ifindexMask, flow.ifId);
    }

    private static int hash(long ports, int mark, int ifindex, int ifId) {
        long numbers = Hashing.mix((long) ifId << 32 | Integer.toUnsignedLong(ifindex), mark);
        return Hashing.hash(numbers, ports);
    }

    private static int ifindexMask(FieldMatch traits) {
        return traits.ifindex() == 0 ? 0 : -1;
    }
}
