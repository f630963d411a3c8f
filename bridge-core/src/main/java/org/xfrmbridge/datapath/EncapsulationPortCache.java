package org.xfrmbridge.datapath;

import org.xfrmbridge.db.SocketPolicies;
import org.xfrmbridge.xfrm.Flow;

/**
 * Remembers the end of the flow that last came to a socket for ESP in UDP, as long as sockets stay as they are: there
 * is hardly ever more than one per family, and it only serves to guess which table to ask first. Inbound thread only.
 */
final class EncapsulationPortCache {
    private final SocketPolicies sockets;
    private long daddrHigh;
    private long daddrLow;
    private int family;
    private int port = -1;
    private int generation;

    EncapsulationPortCache(SocketPolicies sockets) {
        this.sockets = sockets;
    }

    boolean isKnown(Flow flow) {
        return port == flow.dport
                && daddrHigh == flow.daddrHigh
                && daddrLow == flow.daddrLow
                && family == flow.family
                && generation == sockets.generation();
    }

    void note(Flow flow) {
        if (!isKnown(flow)) {
            generation = sockets.generation();
            daddrHigh = flow.daddrHigh;
            daddrLow = flow.daddrLow;
            family = flow.family;
            port = flow.dport;
        }
    }
}
