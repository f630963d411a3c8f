package org.xfrmbridge.db;

import java.util.function.Predicate;

/** The sockets of one port, those bound to an address first, then the latest bound. The control thread changes it, any thread asks. */
final class PortSockets {
    final int protocol;
    final int port;
    private volatile BoundSocket[] sockets;

    PortSockets(int protocol, int port, BoundSocket socket) {
        this.protocol = protocol;
        this.port = port;
        sockets = new BoundSocket[] {socket};
    }

    boolean isEmpty() {
        return sockets.length == 0;
    }

    BoundSocket withPolicy(int family, long high, long low) {
        return best(BoundSocket::hasPolicy, family, high, low);
    }

    BoundSocket withEncapsulation(int family, long high, long low) {
        return best(BoundSocket::hasEncapsulation, family, high, low);
    }

    private BoundSocket best(Predicate<BoundSocket> isAsked, int family, long high, long low) {
        BoundSocket best = null;
        for (BoundSocket socket : sockets) {
            if (isAsked.test(socket) && socket.takes(family, high, low) && socket.isBetterThan(best, family)) {
                best = socket;
            }
        }
        return best;
    }

    void add(BoundSocket socket) {
        BoundSocket[] old = sockets;
        int position = 0;
        while (socket.isBoundToAny() && position < old.length && !old[position].isBoundToAny()) {
            position++;
        }
        BoundSocket[] more = Spread.open(old, old.length, new BoundSocket[old.length + 1], position);
        more[position] = socket;
        sockets = more;
    }

    /** The last one that is this very one: a socket put in its own place is there twice for a moment. */
    void remove(BoundSocket socket) {
        BoundSocket[] old = sockets;
        int position = old.length - 1;
        while (old[position] != socket) {
            position--;
        }
        sockets = Spread.close(old, old.length, new BoundSocket[old.length - 1], position);
    }
}
