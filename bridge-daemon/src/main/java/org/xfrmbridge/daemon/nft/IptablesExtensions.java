package org.xfrmbridge.daemon.nft;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** What extensions of iptables are told, for those that nftables has nothing of its own for. */
final class IptablesExtensions {
    private static final int QUEUE_BYTES = 8;
    private static final short BYPASS = 1;
    private static final int PHYSDEV_BYTES = 72;
    private static final int PHYSDEV_BITS_AT = 4 * 16 + 1;
    private static final byte PHYSDEV_OP_BRIDGED = 4;

    private IptablesExtensions() {}

    /** {@code struct xt_NFQ_info_v1}: one queue, and no way past it. */
    static byte[] queue(int number) {
        return ByteBuffer.allocate(QUEUE_BYTES)
                .order(ByteOrder.nativeOrder())
                .putShort((short) number)
                .putShort((short) 1)
                .array();
    }

    /** {@code struct xt_NFQ_info_v3}: past it if nobody reads the queue. */
    static byte[] queueOrPass(int number) {
        return ByteBuffer.allocate(QUEUE_BYTES)
                .order(ByteOrder.nativeOrder())
                .putShort((short) number)
                .putShort((short) 1)
                .putShort(BYPASS)
                .array();
    }

    /** {@code struct xt_physdev_info}: a frame between two ports of a bridge. */
    static byte[] isBridged() {
        return ByteBuffer.allocate(PHYSDEV_BYTES)
                .put(PHYSDEV_BITS_AT, PHYSDEV_OP_BRIDGED)
                .array();
    }
}
