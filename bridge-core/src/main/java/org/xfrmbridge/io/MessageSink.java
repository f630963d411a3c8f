package org.xfrmbridge.io;

import java.nio.ByteBuffer;

/**
 * Where a control session sends: the bridge's end of one client's diverted socket. Called on the control thread only.
 */
public interface MessageSink {
    /**
     * Sends one datagram, whole or not at all, and never waits. The bytes from position to limit may change when the
     * call returns.
     *
     * @return false if the client has too much unread: then the owner tells the session when the client can be written
     *     to again. True also when the client is gone, which its reader will notice
     */
    boolean trySend(ByteBuffer datagram);

    /**
     * What was sent and the client has not read: bytes of the kernel's memory, counted as SO_RCVBUF does. 0 when it has
     * read everything.
     */
    default int unreadBytes() {
        return 0;
    }
}
