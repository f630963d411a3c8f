package org.xfrmbridge.io;

import java.nio.ByteBuffer;

/**
 * The kernel's end of one client's control socket, without the socket: whoever has that hands in what was read, and the
 * session sends through a {@link MessageSink}. While {@link #hasBacklog} is true the owner should read no more from the
 * client, and call {@link #writable} when it can be written to again: so a client that does not read its answers stops
 * being served, and nothing is lost or piled up. Control thread only.
 */
public interface ControlSession extends AutoCloseable {
    /**
     * Takes one datagram of the client, from position to limit: messages or a {@link ControlFrame}. Never throws for
     * what is in it. A turn is bounded: what it does not allow stays between position and limit, for {@link #resume}.
     *
     * @param trusted whether the sender has the rights that the client's opener had: without, it is refused what needs
     *     them
     */
    void receive(ByteBuffer datagram, boolean trusted);

    /** The same from the opener itself. */
    default void receive(ByteBuffer datagram) {
        receive(datagram, true);
    }

    /**
     * Takes what an earlier turn has left of a datagram, before anything else that the client sent and before
     * {@link #writable}; the client can be written to again.
     */
    void resume(ByteBuffer rest, boolean trusted);

    /**
     * The client sent more than is taken in one datagram, of which this is the start: tells it so, and nothing of it is
     * done.
     */
    void refuse(ByteBuffer start);

    /** The client can be written to again: sends a bounded part of what waits. */
    void writable();

    /** Whether something waits until the client reads. */
    boolean hasBacklog();

    /** Whether the client waits for events: it will stay. */
    boolean isListening();

    /** The client is gone. */
    @Override
    void close();
}
