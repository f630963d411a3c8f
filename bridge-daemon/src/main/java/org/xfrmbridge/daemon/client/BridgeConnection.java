package org.xfrmbridge.daemon.client;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import org.xfrmbridge.daemon.os.BridgeSocket;
import org.xfrmbridge.daemon.os.ClientSocket;
import org.xfrmbridge.io.ControlFrame;
import org.xfrmbridge.io.LostEventsException;
import org.xfrmbridge.netlink.client.NetlinkConnection;
import org.xfrmbridge.netlink.nl.EventGroup;

/**
 * A bridge's socket, spoken to directly: what the preload library does for programs in C (docs/preload-protocol.md).
 * One thread.
 */
final class BridgeConnection implements NetlinkConnection {
    /** A datagram of a dump may be as large as a kernel's. */
    private static final int ROOM_BYTES = 32_768;

    private final ClientSocket socket;
    private final boolean hasGroups;

    /** @param hasGroups whether events come with the numbers of their groups */
    private BridgeConnection(ClientSocket socket, boolean hasGroups) {
        this.socket = socket;
        this.hasGroups = hasGroups;
    }

    static BridgeConnection netlink(Path directory) throws IOException {
        BridgeConnection connection =
                new BridgeConnection(ClientSocket.unix(BridgeSocket.NETLINK.reachableIn(directory)), true);
        connection.tell(ControlFrame.OPTION, NetlinkOptions.CAP_ACK, 1);
        connection.tell(ControlFrame.OPTION, NetlinkOptions.EXT_ACK, 1);
        connection.tell(ControlFrame.ROOM, ROOM_BYTES, 0);
        return connection;
    }

    static BridgeConnection pfkey(Path directory) throws IOException {
        return new BridgeConnection(ClientSocket.unix(BridgeSocket.PFKEY.reachableIn(directory)), false);
    }

    /**
     * A frame; what must hold when the call returns, as in a kernel, is waited for by {@link ClientSocket#awaitTaken}.
     */
    private void tell(int op, int first, int second) throws IOException {
        socket.send(ByteBuffer.wrap(new ControlFrame(op, first, second).toBytes()));
    }

    @Override
    public void send(ByteBuffer datagram) throws IOException {
        socket.send(datagram);
    }

    @Override
    public ByteBuffer receive(int timeoutMs) throws IOException {
        ByteBuffer datagram = socket.receive(timeoutMs);
        if (datagram != null && ControlFrame.isControl(datagram)) {
            throw new LostEventsException();
        }
        if (datagram != null && hasGroups) {
            EventGroup.take(datagram);
        }
        return datagram;
    }

    @Override
    public void join(int group) throws IOException {
        tell(ControlFrame.JOIN, group, 0);
        socket.awaitTaken();
    }

    @Override
    public void setReceiveBuffer(int bytes) throws IOException {
        socket.setReceiveBuffer(bytes);
        tell(ControlFrame.BUFFER, socket.receiveBufferBytes(), 0);
        socket.awaitTaken();
    }

    @Override
    public void close() {
        socket.close();
    }
}
