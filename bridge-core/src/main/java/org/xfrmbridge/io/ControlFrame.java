package org.xfrmbridge.io;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * What the preload library and the bridge say to each other between a client's messages (docs/preload-protocol.md): a
 * datagram whose first word is 0, which no netlink or PF_KEY message can begin with. Numbers are in native order.
 */
public record ControlFrame(int op, int first, int second) {
    public static final int BYTES = 16;

    /** To the bridge: first is the mask of groups 1 to 32, which replaces what was joined. */
    public static final int GROUPS = 1;

    /** To the bridge: first is the number of a group. */
    public static final int JOIN = 2;

    /** To the bridge: first is the number of a group. */
    public static final int LEAVE = 3;

    /** To the bridge: first is an option of level SOL_NETLINK, second its value. */
    public static final int OPTION = 4;

    /** To the client: events were lost here. */
    public static final int OVERRUN = 5;

    /** To the bridge: first is a SADB_SATYPE that this socket is registered for, without an answer. */
    public static final int REGISTER = 6;

    /** To the bridge: first is the size of the largest read that the client made, in bytes. */
    public static final int ROOM = 7;

    /**
     * To the bridge: first is family and local port of a socket of this process, as {@code family << 16 | port}, second
     * its UDP_ENCAP type.
     */
    public static final int ENCAPSULATE = 8;

    /** To the bridge: first is the client's SO_RCVBUF, as the kernel reports it. */
    public static final int BUFFER = 9;

    /** To the bridge: memory for a mailbox comes with it. */
    public static final int MAILBOX = 10;

    public static ControlFrame overrun() {
        return new ControlFrame(OVERRUN, 0, 0);
    }

    /** Whether a datagram is a control frame and no message. */
    public static boolean isControl(ByteBuffer datagram) {
        return datagram.remaining() >= Integer.BYTES && datagram.getInt(datagram.position()) == 0;
    }

    /** Reads a frame from the buffer's position on; null if it is too short. The position stays. */
    public static ControlFrame read(ByteBuffer datagram) {
        if (datagram.remaining() < BYTES) {
            return null;
        }
        ByteBuffer in = datagram.duplicate().order(ByteOrder.nativeOrder());
        in.getInt();
        int op = in.getInt();
        int first = in.getInt();
        return new ControlFrame(op, first, in.getInt());
    }

    public byte[] toBytes() {
        ByteBuffer out = ByteBuffer.allocate(BYTES).order(ByteOrder.nativeOrder());
        return out.putInt(0).putInt(op).putInt(first).putInt(second).array();
    }
}
