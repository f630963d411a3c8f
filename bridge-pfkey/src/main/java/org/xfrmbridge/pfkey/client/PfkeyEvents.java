package org.xfrmbridge.pfkey.client;

import java.io.IOException;
import java.nio.ByteBuffer;
import org.xfrmbridge.io.MessageSocket;

/**
 * What a PF_KEY socket hears: every change that anybody makes, and, for the types of State it was registered for,
 * ACQUIRE, EXPIRE and new NAT mappings. When they come faster than they are read some are lost, and PF_KEY does not
 * tell. One thread.
 */
public final class PfkeyEvents implements AutoCloseable {
    private final MessageSocket socket;

    PfkeyEvents(MessageSocket socket) {
        this.socket = socket;
    }

    /**
     * Waits for the next message.
     *
     * @param timeoutMs negative for no end
     * @return null when the time is over
     */
    public PfkeyMessage next(int timeoutMs) throws IOException {
        ByteBuffer datagram = socket.receive(timeoutMs);
        return datagram == null ? null : PfkeyMessage.read(datagram);
    }

    /** How much may wait unread before messages are lost: SO_RCVBUF. */
    public void setReceiveBuffer(int bytes) throws IOException {
        socket.setReceiveBuffer(bytes);
    }

    @Override
    public void close() {
        socket.close();
    }
}
