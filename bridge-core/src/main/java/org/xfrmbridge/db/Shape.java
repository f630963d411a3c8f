package org.xfrmbridge.db;

import org.xfrmbridge.xfrm.Flow;

/** Which bits besides addresses some policies of a {@link SpdEntry#lane} look at. The interface id always counts. */
record Shape(byte lane, long portsMask, int markMask, int ifindexMask) {
    static Shape of(SpdEntry entry) {
        return new Shape(entry.lane, entry.portsMask, entry.markMask, ifindexMask(entry));
    }

    boolean fits(SpdEntry entry) {
        return lane == entry.lane
                && portsMask == entry.portsMask
                && markMask == entry.markMask
                && ifindexMask == ifindexMask(entry);
    }

    int hash(SpdEntry entry) {
        return hash(entry.ports, entry.mark & entry.markMask, entry.ifindex, entry.ifId);
    }

    int hash(Flow flow) {
        return hash(SpdEntry.ports(flow) & portsMask, flow.mark & markMask, flow.ifindex & ifindexMask, flow.ifId);
    }

    private static int hash(long ports, int mark, int ifindex, int ifId) {
        long numbers = Hashing.mix((long) ifId << 32 | Integer.toUnsignedLong(ifindex), mark);
        return Hashing.hash(numbers, ports);
    }

    private static int ifindexMask(SpdEntry entry) {
        return entry.ifindex == 0 ? 0 : -1;
    }
}
