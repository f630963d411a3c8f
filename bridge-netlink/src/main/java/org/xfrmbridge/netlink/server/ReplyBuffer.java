package org.xfrmbridge.netlink.server;

import org.xfrmbridge.io.MessageQueue;
import org.xfrmbridge.netlink.nl.NetlinkWriter;

/**
 * What one client is answered, written into one buffer that is used again and again. A kernel gives each answer a
 * datagram of its own. So does this, until it was told that the client reads large datagrams: then the answers to
 * requests of one datagram leave in one. Control thread only.
 */
final class ReplyBuffer {
    /**
     * A datagram of a dump before the size of the client's reads is known: a page without the socket buffer's own part.
     */
    static final int DATAGRAM_BYTES = 3776;

    /** A kernel makes no larger ones ({@code netlink_recvmsg}). */
    static final int MAX_DATAGRAM_BYTES = 32_448;

    /** Who reads that much takes as many messages as there are. */
    private static final int MANY_BYTES = 16_384;

    private final MessageQueue queue;
    private final NetlinkWriter out = new NetlinkWriter();
    private int limitBytes = DATAGRAM_BYTES;
    private int completeBytes;

    ReplyBuffer(MessageQueue queue) {
        this.queue = queue;
    }

    /** The client made a read of that size; smaller ones do not take it back, as in a kernel. */
    void setRoom(int bytes) {
        limitBytes = Math.clamp(bytes, limitBytes, MAX_DATAGRAM_BYTES);
    }

    /** Most that a datagram of several messages may hold. */
    int limitBytes() {
        return limitBytes;
    }

    /** Where to write the next message; {@link #complete} ends it. */
    NetlinkWriter writer() {
        return out;
    }

    /** What has been written is a message, or several, to be sent now or with those that follow. */
    void complete() {
        if (completeBytes > 0 && out.sizeBytes() > limitBytes) {
            queue.sendReply(out.written().limit(completeBytes));
            queue.sendReply(out.written().position(completeBytes));
            clear();
            return;
        }
        completeBytes = out.sizeBytes();
        if (limitBytes < MANY_BYTES) {
            send();
        }
    }

    /** Takes back a message that was begun and is not to be. */
    void discard() {
        out.truncate(completeBytes);
    }

    /** Sends what is complete. */
    void send() {
        discard();
        if (completeBytes > 0) {
            queue.sendReply(out.written());
            clear();
        }
    }

    /** It may have held keys: {@link NetlinkWriter#truncate} wipes. */
    private void clear() {
        out.truncate(0);
        completeBytes = 0;
    }
}
