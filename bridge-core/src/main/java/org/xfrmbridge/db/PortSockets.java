package org.xfrmbridge.db;

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
        BoundSocket best = null;
        for (BoundSocket socket : sockets) {
            if (socket.hasPolicy() && socket.takes(family, high, low) && socket.isBetterThan(best, family)) {
                best = socket;
            }
        }
        return best;
    }

    BoundSocket withEncapsulation(int family, long high, long low) {
        BoundSocket best = null;
        for (BoundSocket socket : sockets) {
            if (socket.encapsulationType() != 0 && socket.takes(family, high, low) && socket.isBetterThan(best, family)) {
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
        BoundSocket[] more = new BoundSocket[old.length + 1];
        System.arraycopy(old, 0, more, 0, position);
        more[position] = socket;
        System.arraycopy(old, position, more, position + 1, old.length - position);
        sockets = more;
    }

    /** The last one that is this very one: a socket put in its own place is there twice for a moment. */
    void remove(BoundSocket socket) {
        BoundSocket[] old = sockets;
        int position = old.length - 1;
        while (old[position] != socket) {
            position--;
        }
        BoundSocket[] fewer = new BoundSocket[old.length - 1];
        System.arraycopy(old, 0, fewer, 0, position);
        System.arraycopy(old, position + 1, fewer, position, fewer.length - position);
        sockets = fewer;
    }
}
