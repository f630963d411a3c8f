package org.xfrmbridge.netlink.nl;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * The group of an event on its way to the preload library, in the four highest bits of its {@code nlmsg_flags}, which
 * no kernel uses: the library tells the program of it as the sender's group (docs/preload-protocol.md).
 */
public final class EventGroup {
    private static final int FLAGS_AT = 6;
    private static final int SHIFT = 12;
    private static final int OTHER_FLAGS = (1 << SHIFT) - 1;

    private EventGroup() {}

    /** @param event whole, from its position on; the position stays @param group at most 15 */
    public static void put(ByteBuffer event, int group) {
        int at = event.position() + FLAGS_AT;
        event.order(ByteOrder.nativeOrder()).putShort(at, (short) (event.getShort(at) | group << SHIFT));
    }

    /** Takes it out of a datagram, from its position on: 0 if it is no event. */
    public static int take(ByteBuffer datagram) {
        int at = datagram.position() + FLAGS_AT;
        int flags = Short.toUnsignedInt(datagram.order(ByteOrder.nativeOrder()).getShort(at));
        datagram.putShort(at, (short) (flags & OTHER_FLAGS));
        return flags >>> SHIFT;
    }
}
