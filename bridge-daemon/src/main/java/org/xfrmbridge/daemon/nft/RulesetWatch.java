package org.xfrmbridge.daemon.nft;

import org.xfrmbridge.daemon.os.EventSource;
import org.xfrmbridge.daemon.os.NetlinkSocket;
import org.xfrmbridge.daemon.os.OsException;

/** Tells that somebody has changed tables of nftables, whoever and whichever they are. One thread. */
public abstract class RulesetWatch implements EventSource {
    static final int GROUP_NFTABLES = 7;

    private final NetlinkSocket events = NetlinkSocket.toNetfilter();

    protected RulesetWatch() throws OsException {
        events.join(GROUP_NFTABLES);
    }

    /** Once for all that was told at a time. */
    protected abstract void changed() throws OsException;

    @Override
    public final int fd() {
        return events.fd();
    }

    @Override
    public final void handleEvents() throws OsException {
        if (events.drain()) {
            changed();
        }
    }

    @Override
    public final void close() {
        events.close();
    }
}
