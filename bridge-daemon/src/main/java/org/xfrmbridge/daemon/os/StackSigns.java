package org.xfrmbridge.daemon.os;

/**
 * How packets of the bridge and rules of the host's packet filter know each other. Link addresses are locally
 * administered and never on a wire.
 */
public final class StackSigns {
    /** The priority (SO_PRIORITY) of the bridge's own sockets: their packets are never selected. */
    public static final int BYPASS_PRIORITY = 0x5846_524d;

    /** Bytes 0 and 1 of a source MAC whose bytes 2 to 5 are an interface's index, in native order. */
    public static final int INDEX_MAC = 0x0249;

    /** Bytes 0 and 1 of a MAC whose bytes 2 to 5 are a packet's mark, in native order. */
    public static final int MARK_MAC = 0x0258;

    private StackSigns() {}
}
