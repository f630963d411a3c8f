package org.xfrmbridge.daemon.control;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.xfrmbridge.daemon.host.KernelNetwork;
import org.xfrmbridge.daemon.os.OsException;
import org.xfrmbridge.daemon.os.PollSet;

/** Follows the kernel's routing and neighbour tables. Control thread only. */
public final class RouteChannel implements Channel {
    private static final Logger LOG = LoggerFactory.getLogger(RouteChannel.class);

    private final KernelNetwork network;

    public RouteChannel(KernelNetwork network) {
        this.network = network;
    }

    @Override
    public int fd() {
        return network.fd();
    }

    @Override
    public int interest() {
        return PollSet.READ;
    }

    @Override
    public void ready() {
        try {
            network.handleEvents();
        } catch (OsException e) {
            LOG.warn("changes of routes could not be read: {}", e.getMessage());
        }
    }

    @Override
    public boolean isOpen() {
        return true;
    }

    @Override
    public void close() {
        network.close();
    }
}
