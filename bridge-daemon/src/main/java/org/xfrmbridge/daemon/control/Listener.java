package org.xfrmbridge.daemon.control;

import java.util.function.Function;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.xfrmbridge.daemon.os.OsException;
import org.xfrmbridge.daemon.os.PollSet;
import org.xfrmbridge.daemon.os.UnixConnection;
import org.xfrmbridge.daemon.os.UnixServer;

/** A listening socket and what becomes of its clients. Control thread only. */
final class Listener implements Channel {
    private static final Logger LOG = LoggerFactory.getLogger(Listener.class);

    /** What a listener does with a new client. */
    interface Reception {
        Channel receive(UnixConnection connection, Peer peer) throws OsException;
    }

    private final UnixServer server;
    private final ControlLoop loop;
    private final Function<UnixConnection.Credentials, Peer> access;
    private final Reception reception;

    Listener(UnixServer server, ControlLoop loop, Function<UnixConnection.Credentials, Peer> access, Reception reception) {
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
            for (UnixConnection next = server.accept(); next != null; next = server.accept()) {
                receive(next);
            }
        } catch (OsException e) {
            // Out of descriptors, most likely: those that wait are taken when there are some again.
            LOG.warn("a client could not be accepted: {}", e.getMessage());
        }
    }

    private void receive(UnixConnection connection) {
        try {
            loop.add(reception.receive(connection, access.apply(connection.credentials())));
        } catch (OsException e) {
            LOG.warn("a client was gone before it was served: {}", e.getMessage());
            connection.close();
        }
    }

    @Override
    public void close() {
        server.close();
    }
}
