package org.xfrmbridge.db;

import org.xfrmbridge.xfrm.Direction;
import org.xfrmbridge.xfrm.Flow;
import org.xfrmbridge.xfrm.Policy;

/**
 * The sockets of one port, those bound to an address first, then the latest bound. The control thread changes it, any
 * thread asks.
 */
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

    /**
     * The policy of the socket whose connection the flow is of, though it be none; else of the best that has one for
     * it.
     */
    Policy policy(Direction direction, Flow flow) {
        BoundSocket[] now = sockets;
        for (BoundSocket socket : now) {
            if (socket.isOf(direction, flow)) {
                return socket.policyFor(direction, flow);
            }
        }
        return strictest(now, direction, flow, null);
    }

    /** The policy of the socket with that number, if it has one for the flow; null if there is no such socket. */
    Policy policyOf(long cookie, Direction direction, Flow flow) {
        for (BoundSocket socket : sockets) {
            if (socket.cookie() == cookie) {
                return socket.policyFor(direction, flow);
            }
        }
        return null;
    }

    /** The same of those that no known process has, or of all. */
    Policy policyOfAny(Direction direction, Flow flow, boolean heldToo) {
        return strictest(sockets, direction, flow, heldToo ? null : Boolean.FALSE);
    }

    /** @param held whether only those are asked that are held, or not; null for all */
    private static Policy strictest(BoundSocket[] sockets, Direction direction, Flow flow, Boolean held) {
        boolean out = direction == Direction.OUT;
        long high = out ? flow.saddrHigh : flow.daddrHigh;
        long low = out ? flow.saddrLow : flow.daddrLow;
        Policy best = null;
        int bestRank = -1;
        for (BoundSocket socket : sockets) {
            Policy policy = socket.policyFor(direction, flow);
            boolean asked = policy != null && socket.connection() == null && (held == null || held == socket.held());
            int rank = asked && socket.takes(flow.family, high, low) ? socket.rank(direction, flow.family, policy) : -1;
            if (rank > bestRank) {
                best = policy;
                bestRank = rank;
            }
        }
        return best;
    }

    BoundSocket withEncapsulation(int family, long high, long low) {
        BoundSocket best = null;
        for (BoundSocket socket : sockets) {
            boolean takes = socket.hasEncapsulation() && socket.takes(family, high, low);
            if (takes && (best == null || socket.rank(family) > best.rank(family))) {
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
        BoundSocket[] more = ArrayCopies.open(old, old.length, new BoundSocket[old.length + 1], position);
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
        sockets = ArrayCopies.close(old, old.length, new BoundSocket[old.length - 1], position);
    }
}
