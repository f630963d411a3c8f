package org.xfrmbridge.daemon.host;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.xfrmbridge.daemon.os.OsException;
import org.xfrmbridge.daemon.os.RawSocket;
import org.xfrmbridge.xfrm.AddressFamily;

/**
 * Sends what the bridge says in the host's name: answers to those whose packets it forwards. Sockets are opened with
 * the first. Any thread.
 */
final class HostPacketSender implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(HostPacketSender.class);

    private RawSocket ipv4;
    private RawSocket ipv6;
    private boolean refused;

    synchronized boolean send(int family, byte[] data, int at, int bytes) {
        RawSocket socket = socket(family);
        return socket != null && socket.send(data, at, bytes);
    }

    private RawSocket socket(int family) {
        boolean v4 = family == AddressFamily.INET;
        RawSocket socket = v4 ? ipv4 : ipv6;
        if (socket != null || refused) {
            return socket;
        }
        try {
            socket = new RawSocket(family);
        } catch (OsException e) {
            refused = true;
            LOG.warn("too-big answers come from the addresses they are about, not the host's: {}", e.getMessage());
            return null;
        }
        if (v4) {
            ipv4 = socket;
        } else {
            ipv6 = socket;
        }
        return socket;
    }

    @Override
    public synchronized void close() {
        refused = true;
        if (ipv4 != null) {
            ipv4.close();
        }
        if (ipv6 != null) {
            ipv6.close();
        }
        ipv4 = null;
        ipv6 = null;
    }
}
