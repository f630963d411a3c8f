package org.xfrmbridge.datapath;

/**
 * What a direction of the datapath counts besides its drops. All only grow, but the flow entries, which say how many
 * there are now. What was missed is asked of the kernel every few seconds.
 */
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
    /** Frames that carry no IP, sent on as they came; in the host's stack they end here. */
    NOT_IP,
    /** Packets that were meant for the datapath itself, as NAT keepalives, or that the host's stack has already. */
    CONSUMED,
    /** Frames that came faster than they were taken: the kernel's queue was full, and they are none of the packets. */
    MISSED,
    /**
     * Packets that a thread handed over to another of its direction, to which their State belongs. That one asks all
     * tables anew.
     */
    HANDED_OVER,
    /** Fragments taken into the reassembly. */
    FRAGMENTS,
    /**
     * Questions to tables that all flows or all States share: flow cache, Spd, Sad, socket policies; divided by
     * packets, the number to keep at 1. Whatever a question costs it is one; what a State remembers of the flows it
     * carries ({@link VerdictCache}) is none, nor is a look through what has changed lately to see that none of it
     * concerns a flow ({@link org.xfrmbridge.db.PolicyFreshness}): that compares, and asks no table.
     *
     * <p>A known flow costs one: outbound, and inbound where nothing protects it, the flow cache; inbound through a
     * State the Sad, bare or in UDP. A packet that is protected several times costs one per State inbound.
     */
    LOOKUPS,
    /** Flows in the flow cache. */
    FLOW_ENTRIES,
    /** Bundles made: for new flows, and again for flows whose bundle went stale. */
    BUNDLES_MADE;

    static final Metric[] ALL = values();
}
