package org.xfrmbridge.daemon.control;

import org.xfrmbridge.daemon.os.PollSet;

/** Hears of sockets that end. Control thread only. */
final class SocketDestroyChannel implements Channel {
    private final SocketRegistry registry;

    SocketDestroyChannel(SocketRegistry registry) {
        this.registry = registry;
    }

    @Override
    public int fd() {
        return registry.ends().fd();
    }

    @Override
    public int interest() {
        return PollSet.READ;
    }

    @Override
    public void ready() {
        registry.readEnds();
    }

    @Override
    public boolean isOpen() {
        return true;
    }

    @Override
    public void close() {
        registry.close();
    }
}
