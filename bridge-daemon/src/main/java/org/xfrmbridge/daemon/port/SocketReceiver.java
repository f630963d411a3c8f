package org.xfrmbridge.daemon.port;

import org.xfrmbridge.daemon.os.IpSocket;
import org.xfrmbridge.xfrm.AddressFamily;

/**
 * A socket that packets of one kind come by.
 *
 * @param protocol of these packets
 * @param udpPort that they were sent to, whatever the socket's own; 0 if they are no UDP
 */
record SocketReceiver(IpSocket socket, int protocol, int udpPort) {
    boolean isIpv4() {
        return socket.family() == AddressFamily.INET;
    }

    boolean isUdp() {
        return udpPort != 0;
    }
}
