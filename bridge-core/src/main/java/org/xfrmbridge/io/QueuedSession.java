package org.xfrmbridge.io;

/**
 * What sessions of all protocols have in common: a queue of what the client has yet to be sent, behind which a dump may
 * be under way. Control thread only.
 */
public abstract class QueuedSession implements ControlSession {
    protected final MessageQueue queue;
    private boolean open = true;

    protected QueuedSession(MessageSink sink) {
        queue = new MessageQueue(sink);
    }

    /** Whether a dump is under way. */
    protected abstract boolean isDumping();

    /**
     * Sends what waits, and a bounded part of a dump, which goes on only when nothing else waits: it never piles up.
     */
    protected abstract void pump();

    @Override
    public void writable() {
        pump();
    }

    @Override
    public boolean hasBacklog() {
        return isDumping() || !queue.isEmpty();
    }

    /** Whether the client has yet to read what it was sent before. */
    public boolean isBehind() {
        return hasBacklog();
    }

    /** Whether the client is still there. */
    public boolean isOpen() {
        return open;
    }

    /** What its client has not taken yet. */
    public final int waitingBytes() {
        return queue.waitingBytes();
    }

    /** How many events its client did not get, as it does not read. */
    public final long lostEvents() {
        return queue.lostEvents();
    }

    @Override
    public void close() {
        queue.clear();
        open = false;
    }
}
