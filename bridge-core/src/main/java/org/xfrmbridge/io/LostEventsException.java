package org.xfrmbridge.io;

import java.io.IOException;

/** Events came faster than they were read, and some are lost: ask for what you need to know again. */
public final class LostEventsException extends IOException {
    private static final long serialVersionUID = 1L;

    public LostEventsException() {
        super("events were lost: ENOBUFS");
    }
}
