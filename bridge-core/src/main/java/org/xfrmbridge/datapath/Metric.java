package org.xfrmbridge.datapath;

/** What a direction of the datapath counts besides its drops. All only grow, but the flow entries, which say how many there are now. */
public enum Metric {
    /** Frames taken from the port, IP or not. */
    PACKETS,
    /** Their bytes, link headers included. */
    BYTES,
    /** IP packets sent on as they came. */
    PASSED,
    /** IP packets that went through a State or several. */
    PROTECTED,
    /** IP packets that ended here for a {@link DropReason}. */
    DROPPED,
    /** Frames that carry no IP, sent on as they came. */
    NOT_IP,
    /** Packets that were meant for the datapath itself: NAT keepalives. */
    CONSUMED,
    /** Fragments taken into the reassembly. */
    FRAGMENTS,
    /** Questions to flow cache, Spd, Sad and socket policies: divided by packets, the number to keep at 1. */
    LOOKUPS,
    /** Flows in the flow cache. */
    FLOW_ENTRIES,
    /** Bundles made: for new flows, and again for flows whose bundle went stale. */
    BUNDLES;

    static final Metric[] ALL = values();
}
