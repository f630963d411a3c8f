package org.xfrmbridge.io;

import java.nio.ByteBuffer;

/**
 * The kernel's end of one client's control socket, without the socket: whoever has that hands in what was read, and the session sends through a
 * {@link MessageSink}. While {@link #hasBacklog} is true the owner should read no more from the client, and call {@link #writable} when it can be
 * written to again: so a client that does not read its answers stops being served, and nothing is lost or piled up. Control thread only.
 */
public interface ControlSession extends AutoCloseable {
    /** Takes one datagram of the client, from position to limit: messages or a {@link ControlFrame}. Never throws for what is in it. */
    void receive(ByteBuffer datagram);

    /** The client can be written to again: sends what waits. */
    void writable();

    /** Whether something waits until the client reads. */
    boolean hasBacklog();

    /** Whether the client waits for events: it will stay. */
    boolean isListening();

    /** The client is gone. */
    @Override
    void close();
}
