package org.xfrmbridge.io;

import java.util.Arrays;

/**
 * One Ethernet frame in a byte array, with room before it for outer headers and behind it for padding and ICV. One
 * owner at a time; handing it on is handing on the ownership. Confined to one thread, which may hand it over to
 * another.
 */
public final class PacketBuffer {
    /** Whose packet it is, which others' NAT in the host's stack is to treat accordingly. */
    public enum Origin {
        /** The bridge's own: an outer packet. Also of what comes from the network. */
        BRIDGE,
        /** The host's; its stack, if the bridge is in that, translates the source when the packet leaves. */
        STACK,
        /** The same, of a connection that nobody has answered yet. */
        STACK_UNANSWERED,
        /** The stack's, which has translated it already. */
        STACK_TRANSLATED
    }

    /** What a datapath thread has done to a packet, and the next one goes on with: theirs to know. */
    public interface Progress {}

    /** Room kept in front of a received frame: enough for nested tunnels of IPv6, UDP and ESP. */
    public static final int HEADROOM = 256;

    /** Room kept behind a received frame: padding, trailer and the longest ICV. */
    public static final int TAILROOM = 384;

    /** Array size of a fresh buffer: a jumbo frame does not fit, {@link #ensureCapacity} then makes room. */
    public static final int DEFAULT_CAPACITY = HEADROOM + 2048 + TAILROOM;

    /** The bytes; the frame starts at {@link #offset}. Replaced when it grows, so never keep it across calls. */
    public byte[] data = new byte[DEFAULT_CAPACITY];

    /** Where the frame (its Ethernet header) starts. */
    public int offset = HEADROOM;

    /** Length of the frame in bytes. */
    public int length;

    /** What the host's stack calls the packet's mark, as far as it is known; 0 without one. */
    public int mark;

    /**
     * Index of the interface that the packet came by, or is to leave by; 0 if that is not known, or left to the routes.
     */
    public int ifindex;

    public Origin origin = Origin.BRIDGE;

    /** Length of the longest fragment that its packet was put together of; 0 if it came whole. */
    public int longestFragment;

    /** What is left to the datapath thread that gets the frame next; null of most. */
    public Progress progress;

    /** The CPU that sends it, likewise: read only where a frame is handed over. */
    public int cpu;

    /** Makes room for a frame of that many bytes at the usual offset, keeping what is there. */
    public void ensureCapacity(int frameBytes) {
        int needed = HEADROOM + frameBytes + TAILROOM;
        if (data.length < needed) {
            data = Arrays.copyOf(data, needed);
        }
    }

    public void reset() {
        offset = HEADROOM;
        length = 0;
        mark = 0;
        ifindex = 0;
        origin = Origin.BRIDGE;
        longestFragment = 0;
        progress = null;
    }
}
