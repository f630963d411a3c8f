package org.xfrmbridge.io;

import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Queue;

/**
 * What one client has yet to be sent, in order. Replies are never lost: who makes them asks {@link #isEmpty} before
 * taking more requests. Events are dropped when more is unread than the client's receive buffer would hold, as in
 * {@code netlink_broadcast_deliver}; then all of them, until the client has read everything, and it is told once, in an
 * {@link ControlFrame#OVERRUN} frame behind what it did get. Datagrams may hold keys, so each is wiped once it is sent
 * or dropped. Control thread only.
 */
public final class MessageQueue {
    /** The receive buffer of a client that has set none: the kernel's default, net.core.rmem_default. */
    public static final int DEFAULT_BUFFER_BYTES = 212_992;

    /** The largest receive buffer that is granted; the owner's socket holds as much. */
    public static final int MAX_BUFFER_BYTES = 15 << 20;

    private final MessageSink sink;
    private final Queue<byte[]> waiting = new ArrayDeque<>();
    private int bufferBytes = DEFAULT_BUFFER_BYTES;
    private int waitingBytes;
    private long lostEvents;
    /**
     * No less than what is unread at the client: asking for that costs a system call, which a client that reads never
     * costs.
     */
    private long unreadAtMostBytes;

    private boolean losing;
    private boolean overrun;
    private boolean quiet;

    public MessageQueue(MessageSink sink) {
        this.sink = sink;
    }

    /** The client's SO_RCVBUF, as the kernel counts it: twice what a program sets. */
    public void setBuffer(int bytes) {
        bufferBytes = Math.clamp(bytes, 0, MAX_BUFFER_BYTES);
    }

    /** Sends an answer now or later. The array is taken over. */
    public void sendReply(byte[] datagram) {
        waiting.add(datagram);
        waitingBytes += datagram.length;
        flush();
    }

    /** The same from memory that stays the caller's: copied only if the client cannot take it now. */
    public void sendReply(ByteBuffer datagram) {
        if (waiting.isEmpty() && !overrun && trySend(datagram.duplicate())) {
            return;
        }
        byte[] copy = new byte[datagram.remaining()];
        datagram.get(datagram.position(), copy);
        sendReply(copy);
    }

    /** Sends an event now, later, or not at all. The array is taken over. */
    public void sendEvent(byte[] datagram) {
        if (takesEvent()) {
            sendReply(datagram);
        } else {
            Arrays.fill(datagram, (byte) 0);
        }
    }

    /** The same from memory that stays the caller's: copied only if the client cannot take it now. */
    public void sendEvent(ByteBuffer datagram) {
        if (takesEvent()) {
            sendReply(datagram);
        }
    }

    /** Whether an event would be sent; if not, it counts as lost: it need not be made. */
    public boolean takesEvent() {
        if (hasRoomForEvents()) {
            return true;
        }
        lostEvents++;
        if (!losing && !quiet) {
            losing = true;
            overrun = true;
            flush();
        }
        return false;
    }

    /** After a loss everything must be read first: the client would take what comes then for all there is. */
    private boolean hasRoomForEvents() {
        if (losing || unreadAtMostBytes + waitingBytes > bufferBytes) {
            unreadAtMostBytes = sink.unreadBytes();
            losing &= overrun || unreadAtMostBytes + waitingBytes > 0;
        }
        return !losing && unreadAtMostBytes + waitingBytes <= bufferBytes;
    }

    /** From now on losses go unsaid: the client set NETLINK_NO_ENOBUFS. */
    public void hideLosses() {
        quiet = true;
        losing = false;
        overrun = false;
    }

    /** Undoes {@link #hideLosses}. */
    public void tellLosses() {
        quiet = false;
    }

    /** Sends what the client can take; true if nothing waits any more. */
    public boolean flush() {
        for (byte[] next = waiting.peek(); next != null; next = waiting.peek()) {
            if (!trySend(ByteBuffer.wrap(next))) {
                return false;
            }
            waiting.remove();
            waitingBytes -= next.length;
            Arrays.fill(next, (byte) 0);
        }
        if (overrun && trySend(ByteBuffer.wrap(ControlFrame.overrun().toBytes()))) {
            overrun = false;
        }
        return !overrun;
    }

    private boolean trySend(ByteBuffer datagram) {
        // The kernel rounds a message up to a power of two and adds its own bookkeeping.
        long costBytes = 2L * datagram.remaining() + 1024;
        if (!sink.trySend(datagram)) {
            return false;
        }
        unreadAtMostBytes += costBytes;
        return true;
    }

    public boolean isEmpty() {
        return waiting.isEmpty() && !overrun;
    }

    /** How much waits. */
    public int waitingBytes() {
        return waitingBytes;
    }

    /** How many events the client did not get, as it does not read. */
    public long lostEvents() {
        return lostEvents;
    }

    /** Forgets what waits: the client is gone. */
    public void clear() {
        waiting.forEach(datagram -> Arrays.fill(datagram, (byte) 0));
        waiting.clear();
        waitingBytes = 0;
        overrun = false;
    }
}
