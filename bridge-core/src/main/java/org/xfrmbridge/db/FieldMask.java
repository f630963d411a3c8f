package org.xfrmbridge.db;

import org.xfrmbridge.xfrm.Flow;

/** Which bits besides addresses some policies of a {@link SpdEntry#list} look at. The interface id always counts. */
record FieldMask(byte list, long portsMask, int markMask, int ifindexMask) {
    static FieldMask of(SpdEntry entry) {
        return new FieldMask(entry.list, entry.fields.portsMask(), entry.fields.markMask(), ifindexMask(entry.fields));
    }

    boolean fits(SpdEntry entry) {
        return list == entry.list
                && portsMask == entry.fields.portsMask()
                && markMask == entry.fields.markMask()
                && ifindexMask == ifindexMask(entry.fields);
    }

    int hash(SpdEntry entry) {
        FieldMatch fields = entry.fields;
        return hash(fields.ports(), fields.mark() & fields.markMask(), fields.ifindex(), fields.ifId());
    }

    int hash(Flow flow) {
        return hash(flow, flow.ifindex);
    }

    /** Whether a flow may have what these look at under a second hash: {@link #hashLower}. */
    boolean hasTwo(Flow flow) {
        return ifindexMask != 0 && flow.lowerIfindex != 0;
    }

    int hashLower(Flow flow) {
        return hash(flow, flow.lowerIfindex);
    }

    private int hash(Flow flow, int ifindex) {
        return hash(FieldMatch.ports(flow) & portsMask, flow.mark & markMask, ifindex & ifindexMask, flow.ifId);
    }

    private static int hash(long ports, int mark, int ifindex, int ifId) {
        long numbers = Hashing.mix((long) ifId << 32 | Integer.toUnsignedLong(ifindex), mark);
        return Hashing.hash(numbers, ports);
    }

    private static int ifindexMask(FieldMatch fields) {
        return fields.ifindex() == 0 ? 0 : -1;
    }
}
