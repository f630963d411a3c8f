package org.xfrmbridge.daemon.host;

import java.nio.ByteBuffer;
import java.util.function.LongConsumer;
import org.xfrmbridge.daemon.os.NetlinkSocket;
import org.xfrmbridge.daemon.os.OsException;
import org.xfrmbridge.netlink.nl.NetlinkReader;

/**
 * What the kernel tells of the end of its TCP and UDP sockets, when the last packet that they sent has left the stack:
 * sock_diag(7), SKNLGRP_. It tells of every socket of the host, so it is listened to only while somebody waits for one.
 * Control thread.
 */
public final class SocketDestroyEvents implements AutoCloseable {
    // SKNLGRP_: INET_TCP_DESTROY, INET_UDP_DESTROY, INET6_TCP_DESTROY, INET6_UDP_DESTROY
    private static final int[] GROUPS = {1, 2, 3, 4};

    /** Told at once: anybody may open and close sockets, and clients wait meanwhile. */
    static final int TURN = 64;

    private final NetlinkSocket socket = SocketTable.open();
    private boolean listening;
    private boolean closed;

    /** Readable when there is something to {@link #read}; negative if the kernel does not tell. */
    public int fd() {
        return socket == null ? -1 : socket.fd();
    }

    /** Nothing, when it is closed: others close later, and say then what they await no more. */
    public void listen(boolean wanted) throws OsException {
        for (int group : wanted == listening || socket == null || closed ? new int[0] : GROUPS) {
            if (wanted) {
                socket.join(group);
            } else {
                socket.leave(group);
            }
        }
        listening = wanted;
    }

    /** Tells the cookies of sockets that have ended, as many as have a turn. ENOBUFS: some were not told. */
    public void read(LongConsumer ended) throws OsException {
        for (int i = 0; i < TURN; i++) {
            ByteBuffer datagram = socket.poll();
            if (datagram == null) {
                return;
            }
            NetlinkReader reader = new NetlinkReader(datagram);
            while (reader.next()) {
                if (reader.payload().remaining() >= SocketEntry.BYTES) {
                    ended.accept(SocketEntry.read(reader.payload().slice().order(datagram.order()))
                            .cookie());
                }
            }
        }
    }

    @Override
    public void close() {
        closed = true;
        if (socket != null) {
            socket.close();
        }
    }
}
