package org.xfrmbridge.daemon.nft;

import org.xfrmbridge.daemon.os.StackSigns;

/**
 * The names and numbers of a bridge in the host's stack, all of them: what others on the host may meet.
 *
 * @param tap the device where packets leave and enter the host's stack
 * @param markBit the one bit of a packet's mark that says "to the bridge"; all others are the user's
 */
public record StackNames(String tap, int markBit) {
    public static final StackNames DEFAULT = new StackNames("xfrm0", 0x40000000);

    /** Of the tables of nftables, {@code inet} and {@code netdev}. */
    public static final String TABLE = "xfrm-bridge";

    /** The {@code netdev} one of {@link SignedEsp}, which is there while much ESP comes. */
    static final String RING_TABLE = "xfrm-bridge-ring";

    /** Priority on the way to the TAP: the packet's connection has not been answered, nor translated. */
    static final int UNANSWERED = 0x5846_5250;

    /** Priority on the way to the TAP: the packet has been translated so that its connection does not know it. */
    static final int TRANSLATED = 0x5846_5251;

    /** Priority of frames between two ports of a bridge, from one chain to the next. */
    static final int BRIDGED = 0x5846_5252;

    /** Routing table whose only route leads to the TAP. */
    public static final int ROUTE_TABLE = 58;

    /** Preference of the rule by which the way back of what goes to the TAP is looked for as if it did not. */
    public static final int WAY_BACK_RULE = 47;

    /** Preference of the rule that lets nothing leave, where it is not known what is to be protected. */
    public static final int SHUT_RULE = 48;

    /** Preference of the rule by which packets of VRFs keep to the routes of these. */
    public static final int VRF_RULE = 49;

    /** Preference of the rule that sends marked packets there. */
    public static final int MARK_RULE = 50;

    /** Preference of the rule by which a reverse path lookup on the TAP finds what came out of it. */
    public static final int TAP_RULE = 51;

    /** Preference of the rule where {@link #WAY_BACK_RULE} goes on. */
    public static final int GO_ON_RULE = 53;

    /** The first number that is tried for the queue of packets that came in the clear. */
    public static final int FIRST_QUEUE = 22616;

    /** A queue that nobody reads. */
    public static final int NOBODYS_QUEUE = 65_058;

    /** Bytes 0 and 1 of a source MAC whose bytes 2 to 5 are an interface's index, in native order. */
    public static final int INDEX_MAC = StackSigns.INDEX_MAC;

    /** Bytes 0 and 1 of a MAC whose bytes 2 to 5 are a packet's mark, in native order. */
    public static final int MARK_MAC = StackSigns.MARK_MAC;

    static boolean isOwnTable(String name) {
        return TABLE.equals(name) || RING_TABLE.equals(name);
    }

    /** All bits of a mark but the bridge's. */
    public int userBits() {
        return ~markBit;
    }
}
