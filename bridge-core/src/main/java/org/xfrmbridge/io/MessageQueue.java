package org.xfrmbridge.io;

import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Queue;

/**
 * What one client has yet to be sent, in order. Replies are never lost: who makes them asks {@link #isEmpty} before taking more requests.
 * Events are dropped when too much waits; the client is told once, in an {@link ControlFrame#OVERRUN} frame behind what was waiting.
 * Datagrams may hold keys, so each is wiped once it is sent or dropped. Control thread only.
 */
public final class MessageQueue {
    private final MessageSink sink;
    private final int eventLimitBytes;
    private final Queue<byte[]> waiting = new ArrayDeque<>();
    private int waitingBytes;
    private boolean overrun;
    private boolean quiet;

    /** @param eventLimitBytes how many bytes may wait before events are dropped */
    public MessageQueue(MessageSink sink, int eventLimitBytes) {
        this.sink = sink;
        this.eventLimitBytes = eventLimitBytes;
    }

    /** Sends an answer now or later. The array is taken over. */
    public void sendReply(byte[] datagram) {
        waiting.add(datagram);
        waitingBytes += datagram.length;
        flush();
    }

    /** The same from memory that stays the caller's: copied only if the client cannot take it now. */
    public void sendReply(ByteBuffer datagram) {
        if (waiting.isEmpty() && !overrun && sink.trySend(datagram.duplicate())) {
            return;
        }
        byte[] copy = new byte[datagram.remaining()];
        datagram.get(datagram.position(), copy);
        sendReply(copy);
    }

    /** Sends an event now, later, or not at all. The array is taken over. */
    public void sendEvent(byte[] datagram) {
        // After a loss nothing more is queued until the client has been told: it would take the rest for complete.
        if (overrun || waitingBytes + datagram.length > eventLimitBytes) {
            Arrays.fill(datagram, (byte) 0);
            overrun = !quiet;
            return;
        }
        sendReply(datagram);
    }

    /** From now on losses go unsaid: the client set NETLINK_NO_ENOBUFS. */
    public void hideLosses() {
        quiet = true;
        overrun = false;
    }

    /** Undoes {@link #hideLosses}. */
    public void tellLosses() {
        quiet = false;
    }

    /** Sends what the client can take; true if nothing waits any more. */
    public boolean flush() {
        for (byte[] next = waiting.peek(); next != null; next = waiting.peek()) {
            if (!sink.trySend(ByteBuffer.wrap(next))) {
                return false;
            }
            waiting.remove();
            waitingBytes -= next.length;
            Arrays.fill(next, (byte) 0);
        }
        if (overrun && sink.trySend(ByteBuffer.wrap(ControlFrame.overrun().toBytes()))) {
            overrun = false;
        }
        return !overrun;
    }

    public boolean isEmpty() {
        return waiting.isEmpty() && !overrun;
    }

    /** How much waits. */
    public int waitingBytes() {
        return waitingBytes;
    }

    /** Forgets what waits: the client is gone. */
    public void clear() {
        waiting.forEach(datagram -> Arrays.fill(datagram, (byte) 0));
        waiting.clear();
        waitingBytes = 0;
        overrun = false;
    }
}
