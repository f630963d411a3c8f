package org.xfrmbridge.daemon.os;

/**
 * How packets of the bridge and rules of the host's packet filter know each other. Link addresses are locally
 * administered and never on a wire.
 */
public final class StackSigns {
    /** The priority (SO_PRIORITY) of the bridge's own packets: they are never selected. */
    public static final int BYPASS_PRIORITY = 0x5846_524d;

    /** That of packets of the stack that pass: selected only if source NAT makes others of them. */
    public static final int PASSED_PRIORITY = 0x5846_524e;

    /** That of packets of the stack that pass and have been translated: they are neither selected nor tracked. */
    public static final int TRANSLATED_PRIORITY = 0x5846_524f;

    /** The three above and no others are this, but for their last two bits. */
    public static final int OWN_PRIORITIES = 0x5846_524c;

    /**
     * The groups of the sockets with these priorities are this, but for their last two bits: rules of others that set a
     * priority do not change them. Nobody has such a group; a container of an unprivileged user may use it.
     */
    public static final int OWN_GROUPS = 65_520;

    /** Bytes 0 and 1 of a source MAC whose bytes 2 to 5 are an interface's index, in native order. */
    public static final int INDEX_MAC = 0x0249;

    /**
     * Priority of what was opened and comes in by another device than the TAP, until its rules for input have been
     * passed.
     */
    public static final int OPENED_PRIORITY = 0x5846_5253;

    /** Bytes 0 and 1 of a MAC whose bytes 2 to 5 are a packet's mark, in native order. */
    public static final int MARK_MAC = 0x0258;

    /** The same, if the packet's connection has not been answered, nor translated. */
    public static final int UNANSWERED_MARK_MAC = 0x0259;

    /** The same, if the packet has been translated so that its connection does not know it. */
    public static final int TRANSLATED_MARK_MAC = 0x025a;

    /** Bytes 0 and 1 of a destination MAC whose bytes 2 to 5 are the index of the device to come in by. */
    public static final int ARRIVAL_MAC = 0x024f;

    /** PACKET_OTHERHOST: with the bridge's mark the sign of ESP that the IP layer leaves to a {@link PacketRing}. */
    public static final int SIGNED_PACKET_TYPE = 3;

    private StackSigns() {}

    /** The group of sockets with one of the three priorities. */
    public static int group(int priority) {
        return OWN_GROUPS | priority & 3;
    }
}
