package org.xfrmbridge.daemon.control;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.xfrmbridge.daemon.os.OsException;
import org.xfrmbridge.daemon.os.PollSet;
import org.xfrmbridge.daemon.os.UnixConnection;
import org.xfrmbridge.daemon.os.UnixServer;

/** A listening socket and what becomes of its clients. One thread: its loop's. */
final class Listener implements Channel {
    private static final Logger LOG = LoggerFactory.getLogger(Listener.class);

    /** Connections taken in one round. */
    private static final int TURN = 64;

    /** What a listener does with a new client. */
    interface Reception {
        /** Null if the client is not for this loop. The connection is the reception's, unless it throws. */
        Channel receive(UnixConnection connection, Peer peer) throws OsException;
    }

    private final UnixServer server;
    private final ControlLoop loop;
    private final Access access;
    private final Reception reception;
    private boolean failing;

    Listener(UnixServer server, ControlLoop loop, Access access, Reception reception) {
        this.server = server;
        this.loop = loop;
        this.access = access;
        this.reception = reception;
    }

    @Override
    public int fd() {
        return server.fd();
    }

    @Override
    public int interest() {
        return PollSet.READ;
    }

    @Override
    public boolean isOpen() {
        return true;
    }

    @Override
    public void ready() {
        try {
            for (int i = 0; i < TURN; i++) {
                UnixConnection next = server.accept();
                if (next == null) {
                    break;
                }
                receive(next);
            }
            failing = false;
        } catch (OsException e) {
            // Out of descriptors, most likely: those that wait are taken when there are some again. It is said once.
            if (!failing) {
                LOG.warn("a client could not be accepted: {}", e.getMessage());
            }
            failing = true;
        }
    }

    private void receive(UnixConnection connection) {
        try {
            Channel channel = reception.receive(connection, new Peer(access, connection.credentials()));
            if (channel != null) {
                loop.add(channel);
            }
        } catch (OsException e) {
            LOG.debug("a client was gone before it was served: {}", e.getMessage());
            connection.close();
        }
    }

    @Override
    public void close() {
        server.close();
    }
}
