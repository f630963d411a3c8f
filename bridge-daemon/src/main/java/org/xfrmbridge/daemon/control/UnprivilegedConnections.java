package org.xfrmbridge.daemon.control;

import java.util.HashMap;
import java.util.Map;
import org.xfrmbridge.daemon.os.OsException;
import org.xfrmbridge.daemon.os.UnixConnection;

/** Counts the connections of those who have no rights: each takes a descriptor and memory of the kernel. One thread. */
final class UnprivilegedConnections {
    /** Connections of one user. */
    static final int MOST_OF_USER = 64;

    /** Connections of all of them: a quarter of the descriptors that a process has by default. */
    static final int MOST = 256;

    /** Half of what may be unread before one is not served further: refusals by the dozen. */
    private static final int BUFFER_BYTES = 16 << 10;

    private final Map<Integer, Integer> byUser = new HashMap<>();
    private int all;

    /**
     * Takes one more.
     *
     * @return its channel, which counts until it is closed; null if there are too many: then the connection is closed
     */
    Channel welcome(UnixConnection connection, Peer peer, Listener.Reception reception) throws OsException {
        int uid = peer.uid();
        if (all >= MOST || byUser.getOrDefault(uid, 0) >= MOST_OF_USER) {
            connection.close();
            return null;
        }
        connection.setSendBuffer(BUFFER_BYTES);
        Channel channel = new Counted(reception.receive(connection, peer), uid);
        byUser.merge(uid, 1, Integer::sum);
        all++;
        return channel;
    }

    private void leave(int uid) {
        all--;
        byUser.computeIfPresent(uid, (user, count) -> count > 1 ? count - 1 : null);
    }

    private final class Counted implements Channel {
        private final Channel channel;
        private final int uid;

        Counted(Channel channel, int uid) {
            this.channel = channel;
            this.uid = uid;
        }

        @Override
        public int fd() {
            return channel.fd();
        }

        @Override
        public int interest() {
            return channel.interest();
        }

        @Override
        public void ready() {
            channel.ready();
        }

        @Override
        public boolean isOpen() {
            return channel.isOpen();
        }

        @Override
        public void close() {
            channel.close();
            leave(uid);
        }
    }
}
