package org.xfrmbridge.io;

import java.io.IOException;
import java.nio.ByteBuffer;

/** A client's end of a control socket: NETLINK_XFRM or PF_KEY, of a kernel or of a bridge. One thread at a time. */
public interface MessageSocket extends AutoCloseable {
    /** Sends one datagram, from position to limit; the buffer has an array. */
    void send(ByteBuffer datagram) throws IOException;

    /**
     * Waits for the next datagram.
     *
     * @param timeoutMs negative for no end
     * @return a view in native order, good until the next call; null when the time is over
     * @throws LostEventsException ENOBUFS: events came faster than they were read; the next call goes on with those
     *     that were kept
     */
    ByteBuffer receive(int timeoutMs) throws IOException;

    /** SO_RCVBUF: how much may wait here unread before events are lost; of root also beyond the system's limit. */
    void setReceiveBuffer(int bytes) throws IOException;

    @Override
    void close();
}
