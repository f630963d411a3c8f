package org.xfrmbridge.daemon.control;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.xfrmbridge.daemon.os.EventSource;
import org.xfrmbridge.daemon.os.OsException;
import org.xfrmbridge.daemon.os.PollSet;

/** Follows what the machine tells: its routes and interfaces, for example. Control thread only. */
public final class EventChannel implements Channel {
    private static final Logger LOG = LoggerFactory.getLogger(EventChannel.class);

    private final EventSource source;
    private final String what;

    /** @param what changes, for people: "routes" */
    public EventChannel(EventSource source, String what) {
        this.source = source;
        this.what = what;
    }

    @Override
    public int fd() {
        return source.fd();
    }

    @Override
    public int interest() {
        return PollSet.READ;
    }

    @Override
    public void ready() {
        try {
            source.handleEvents();
        } catch (OsException e) {
            LOG.warn("changes of {} could not be taken up: {}", what, e.getMessage());
        }
    }

    @Override
    public boolean isOpen() {
        return true;
    }

    @Override
    public void close() {
        source.close();
    }
}
