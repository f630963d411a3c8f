package org.xfrmbridge.daemon.port;

import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Deque;
import org.xfrmbridge.daemon.os.IpSocket;
import org.xfrmbridge.daemon.os.OsException;
import org.xfrmbridge.xfrm.AddressFamily;

/**
 * The UDP sockets for ESP in UDP: one of each family for each port that a key manager has. They are bound to another
 * port, the same in both families, and rules of the packet filter exchange the two. None is closed before the end, as a
 * thread may be about to use it: they wait for the next port. Changed by one thread at a time, read by all.
 */
final class Encapsulations {
    private static final int MOST_TRIES = 16;

    /**
     * @param v6 null on a host without IPv6
     * @param port of the key manager
     * @param sends whether rules give what the sockets send this port as its source
     */
    record Entry(IpSocket v4, IpSocket v6, int port, boolean sends) {}

    private final boolean ipv6;
    private final boolean trains;
    private volatile boolean sendsTrains;
    private final Deque<Entry> idle = new ArrayDeque<>();
    /** Replaced, never changed. */
    private volatile Entry[] open = {};

    /** @param trains whether several packets are sent, and received, as one message */
    Encapsulations(boolean ipv6, boolean trains) {
        this.ipv6 = ipv6;
        this.trains = trains;
        sendsTrains = trains;
    }

    /** Whether trains are sent now. */
    boolean sendsTrains() {
        return sendsTrains;
    }

    void setSendingTrains(boolean sends) {
        sendsTrains = trains && sends;
    }

    /** Null if the port is not open. */
    Entry find(int port) {
        for (Entry entry : open) {
            if (entry.port == port) {
                return entry;
            }
        }
        return null;
    }

    /** The socket by which trains of a port may be sent, or null. */
    IpSocket sender(boolean v4, int port) {
        Entry entry = find(port);
        if (entry == null || !entry.sends) {
            return null;
        }
        return v4 ? entry.v4 : entry.v6;
    }

    Entry open(int port) throws OsException {
        Entry sockets = idle.isEmpty() ? bind() : idle.pop();
        return put(new Entry(sockets.v4, sockets.v6, port, false));
    }

    private Entry bind() throws OsException {
        for (int tries = 1; ; tries++) {
            IpSocket v4 = IpSocket.udpReceiver(AddressFamily.INET, 0, trains);
            try {
                return new Entry(
                        v4, ipv6 ? IpSocket.udpReceiver(AddressFamily.INET6, v4.port(), trains) : null, 0, false);
            } catch (OsException e) {
                v4.close();
                if (e.errno() != OsException.EADDRINUSE || tries == MOST_TRIES) {
                    throw e;
                }
            }
        }
    }

    private Entry put(Entry entry) {
        Entry[] more = Arrays.copyOf(open, open.length + 1);
        more[open.length] = entry;
        open = more;
        return entry;
    }

    void setSending(int port, boolean sends) {
        Entry entry = remove(port);
        if (entry != null) {
            put(new Entry(entry.v4, entry.v6, port, sends));
        }
    }

    /** Null if it was not open. */
    Entry close(int port) {
        Entry entry = remove(port);
        if (entry != null) {
            idle.push(entry);
        }
        return entry;
    }

    private Entry remove(int port) {
        Entry entry = find(port);
        open = Arrays.stream(open).filter(other -> other != entry).toArray(Entry[]::new);
        return entry;
    }

    void release() {
        Arrays.stream(open).forEach(idle::push);
        open = new Entry[0];
        for (Entry entry : idle) {
            entry.v4.close();
            if (entry.v6 != null) {
                entry.v6.close();
            }
        }
    }
}
