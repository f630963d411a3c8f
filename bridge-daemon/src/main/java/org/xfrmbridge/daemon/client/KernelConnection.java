package org.xfrmbridge.daemon.client;

import java.io.IOException;
import java.nio.ByteBuffer;
import org.xfrmbridge.daemon.os.ClientSocket;
import org.xfrmbridge.netlink.client.NetlinkConnection;

/** The kernel's NETLINK_XFRM. One thread. */
final class KernelConnection implements NetlinkConnection {
    private final ClientSocket socket;

    private KernelConnection(ClientSocket socket) {
        this.socket = socket;
    }

    static KernelConnection open() throws IOException {
        KernelConnection connection = new KernelConnection(ClientSocket.netlink());
        try {
            connection.socket.set(NetlinkOptions.LEVEL, NetlinkOptions.CAP_ACK, 1);
            connection.socket.set(NetlinkOptions.LEVEL, NetlinkOptions.EXT_ACK, 1);
            return connection;
        } catch (IOException e) {
            connection.close();
            throw e;
        }
    }

    @Override
    public void send(ByteBuffer datagram) throws IOException {
        socket.send(datagram);
    }

    @Override
    public ByteBuffer receive(int timeoutMs) throws IOException {
        return socket.receive(timeoutMs);
    }

    @Override
    public void join(int group) throws IOException {
        socket.set(NetlinkOptions.LEVEL, NetlinkOptions.ADD_MEMBERSHIP, group);
    }

    @Override
    public void setReceiveBuffer(int bytes) throws IOException {
        socket.setReceiveBuffer(bytes);
    }

    @Override
    public void close() {
        socket.close();
    }
}
