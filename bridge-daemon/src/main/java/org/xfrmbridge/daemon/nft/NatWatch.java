package org.xfrmbridge.daemon.nft;

import org.xfrmbridge.daemon.os.OsException;

/** Whether others on this host have rules that translate addresses, by nftables or the older iptables. One thread. */
public final class NatWatch implements AutoCloseable {
    public static NatWatch open() throws OsException {
        throw new UnsupportedOperationException();
    }

    /** To poll for events of nftables. */
    public int fd() {
        return -1;
    }

    /** Takes the events that are there; whether there were any. */
    public boolean takeEvents() throws OsException {
        return false;
    }

    public boolean othersDoNat() throws OsException {
        return false;
    }

    @Override
    public void close() {}
}
