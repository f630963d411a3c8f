package org.xfrmbridge.netlink.client;

import java.io.IOException;
import java.nio.ByteBuffer;
import org.xfrmbridge.io.LostEventsException;
import org.xfrmbridge.netlink.nl.NetlinkReader;

/** A subscription: events of the groups that were joined, in order, from the moment it was made. One thread. */
public final class XfrmEvents implements AutoCloseable {
    private final NetlinkConnection connection;

    XfrmEvents(NetlinkConnection connection) {
        this.connection = connection;
    }

    /**
     * Waits for the next event.
     *
     * @param timeoutMs negative for no end
     * @return null when the time is over; {@link XfrmEvent.Lost} where events are missing
     */
    public XfrmEvent next(int timeoutMs) throws IOException {
        ByteBuffer datagram;
        try {
            datagram = connection.receive(timeoutMs);
        } catch (LostEventsException e) {
            return new XfrmEvent.Lost();
        }
        if (datagram == null) {
            return null;
        }
        // One to a datagram.
        NetlinkReader reader = new NetlinkReader(datagram);
        if (!reader.next()) {
            throw new IOException("a datagram without a message");
        }
        return EventDecoder.decode(reader);
    }

    /** How much may wait unread before events are lost: SO_RCVBUF. */
    public void setReceiveBuffer(int bytes) throws IOException {
        connection.setReceiveBuffer(bytes);
    }

    @Override
    public void close() {
        connection.close();
    }
}
