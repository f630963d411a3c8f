package org.xfrmbridge.db;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicIntegerArray;
import org.xfrmbridge.xfrm.Address;
import org.xfrmbridge.xfrm.Direction;
import org.xfrmbridge.xfrm.Flow;
import org.xfrmbridge.xfrm.IpProtocol;
import org.xfrmbridge.xfrm.Policy;
import org.xfrmbridge.xfrm.PolicySpec;

/**
 * Policies of single sockets (IP_XFRM_POLICY) and sockets that take ESP in UDP (UDP_ENCAP). Packets carry no socket, so
 * a socket is known by protocol, local address and local port: the one bound to the packet's address before one bound
 * to any, one of the packet's family before an INET6 one that would take it too, the one with the stricter policy
 * before others; of what leaves, which any of them may have sent, that with the strictest policy before all. Where
 * single connections of a port are known, what they send and get is theirs alone. An INET6 socket bound to any address,
 * or to a mapped one, also has the IPv4 packets of its port, unless it is {@link Families#OWN}; its policies are then
 * still those of their own family, as {@code xfrm_sk_policy_lookup} has it.
 *
 * <p>A protocol without ports is known by its addresses alone. A socket <i>floats</i> if its protocol has ports and it
 * has none: it is not bound yet, or it is a raw socket. Which packets are its own only the kernel can tell.
 *
 * <p>The control thread registers, any thread looks up and never waits. Ports in host order.
 */
public final class SocketPolicies {
    private static final int CHANGE_STRIPES = 64;
    private static final int CHANGES_KEPT = 512;
    private static final int PROTOCOLS = 256;

    /** Of a raw socket: it sends and gets packets of all ports of its protocol. */
    public static final int EVERY_PORT = -1;

    private final Spd spd;
    private final List<SocketListener> listeners = new ArrayList<>();
    private final Map<SocketId, BoundSocket> sockets = new HashMap<>();
    private final HashTable<PortSockets> byPort = new HashTable<>();
    private final ChangeLog<LocalEndpoint> changes = new ChangeLog<>(CHANGE_STRIPES, CHANGES_KEPT);
    private final AtomicInteger generation = new AtomicInteger();
    private final AtomicIntegerArray floating = new AtomicIntegerArray(PROTOCOLS);

    /** Where a socket is bound; port 0 and the any address while it is not. {@link #EVERY_PORT} is a raw socket's. */
    public record LocalEndpoint(int family, int protocol, Address address, int port, Families families) {
        public LocalEndpoint {
            if (!IpProtocol.hasPorts(protocol)) {
                port = 0;
            }
        }

        /** As a socket is if nobody says otherwise. */
        public LocalEndpoint(int family, int protocol, Address address, int port) {
            this(family, protocol, address, port, Families.BOTH);
        }

        boolean isFloating() {
            return port <= 0 && IpProtocol.hasPorts(protocol);
        }
    }

    /** Whose packets an INET6 socket gets: {@code OWN} is IPV6_V6ONLY. It means nothing for others. */
    public enum Families {
        OWN,
        BOTH
    }

    /** @param owner the connection it was registered on @param cookie the socket's number there */
    private record SocketId(Object owner, long cookie) {}

    /** On its own, for tests and programs without a database of policies. */
    public SocketPolicies() {
        this(new Spd());
    }

    /** @param spd gives socket policies their indexes and shows them in its walks, as a kernel does */
    public SocketPolicies(Spd spd) {
        this.spd = spd;
    }

    /** Control thread: told of what comes and goes from now on. */
    public void listen(SocketListener listener) {
        listeners.add(listener);
    }

    /** The policy of the socket a flow leaves from (OUT) or arrives at (IN), or null. Any thread, never blocks. */
    public Policy lookup(Direction direction, Flow flow) {
        if (direction == Direction.FWD) {
            return null;
        }
        PortSockets port = at(flow.protocol, localPort(direction, flow));
        return port == null ? null : port.policy(direction, flow);
    }

    static int localPort(Direction direction, Flow flow) {
        int port = direction == Direction.OUT ? flow.sport : flow.dport;
        return IpProtocol.hasPorts(flow.protocol) ? port : 0;
    }

    /**
     * Whether sockets with policies float that may send and get packets of a protocol. Any thread; costs a volatile
     * read.
     */
    public boolean mayFloat(int protocol) {
        return floating.get(protocol) != 0;
    }

    /**
     * The policy of the floating socket that a flow leaves from or arrives at, or null. Any thread, never blocks.
     *
     * @param cookie the number of the kernel's socket that has the flow; 0 if it has none: then it is a raw socket's,
     *     or of one that is gone
     */
    public Policy lookupFloating(Direction direction, Flow flow, long cookie) {
        PortSockets unbound = at(flow.protocol, 0);
        PortSockets raw = at(flow.protocol, EVERY_PORT);
        if (cookie != 0) {
            return unbound == null ? null : unbound.policyOf(cookie, direction, flow);
        }
        Policy policy = raw == null ? null : raw.policyOfAny(direction, flow, true);
        return policy == null && unbound != null ? unbound.policyOfAny(direction, flow, false) : policy;
    }

    /**
     * The strictest policy of all floating sockets that could have a flow: where nobody can tell whose it is. Any
     * thread, never blocks.
     */
    public Policy lookupFloating(Direction direction, Flow flow) {
        Policy policy = lookupFloating(direction, flow, 0);
        PortSockets unbound = policy == null ? at(flow.protocol, 0) : null;
        return unbound == null ? policy : unbound.policyOfAny(direction, flow, true);
    }

    /**
     * The encapsulation type (2: ESP in UDP) a socket on this local UDP port and address asked for, or 0. Any thread.
     */
    public int encapsulationType(int family, long addressHigh, long addressLow, int port) {
        PortSockets sockets = at(IpProtocol.UDP, port);
        BoundSocket socket = sockets == null ? null : sockets.withEncapsulation(family, addressHigh, addressLow);
        return socket == null ? 0 : socket.encapsulationType();
    }

    /** Where something has changed lately; {@link PolicyFreshness} reads it. */
    ChangeLog<LocalEndpoint> changes() {
        return changes;
    }

    static int stripe(int protocol, int port) {
        return hash(protocol, port) & CHANGE_STRIPES - 1;
    }

    /**
     * Of what floats that no known process has, or that is raw, any flow may be. With the first that floats nobody has
     * asked yet whose flows are.
     */
    private void changed(BoundSocket socket) {
        LocalEndpoint at = socket.at();
        boolean first = floating.get(at.protocol()) == 1;
        if (socket.isFloating() && (first || !socket.held() || at.port() == EVERY_PORT)) {
            for (int stripe = 0; stripe < CHANGE_STRIPES; stripe++) {
                changes.add(stripe, null);
            }
        } else {
            changes.add(stripe(at.protocol(), at.port()), at);
        }
        generation.incrementAndGet();
    }

    /** Changes with every registration. Any thread. */
    public int generation() {
        return generation.get();
    }

    /** Control thread: the policy of one direction, instead of the one there was. */
    public Policy setPolicy(Object owner, long cookie, LocalEndpoint at, PolicySpec spec, long nowSeconds) {
        BoundSocket socket = socket(owner, cookie, at);
        Policy old = socket.policy(spec.direction());
        settle(old != null);
        Policy policy = spd.linkSocketPolicy(spec, nowSeconds);
        put(owner, cookie, socket.withPolicy(spec.direction(), policy));
        if (old != null) {
            spd.unlinkSocketPolicy(old);
        }
        return policy;
    }

    /** Control thread: both directions. */
    public void clearPolicies(Object owner, long cookie) {
        BoundSocket socket = sockets.get(new SocketId(owner, cookie));
        if (socket != null) {
            settle(socket.hasPolicy());
            put(owner, cookie, socket.withPolicy(Direction.IN, null).withPolicy(Direction.OUT, null));
            unlinkPolicies(socket);
        }
    }

    /** Control thread: type 0 ends it. */
    public void setEncapsulation(Object owner, long cookie, LocalEndpoint at, int type) {
        put(owner, cookie, socket(owner, cookie, at).withEncapsulation(type));
    }

    /**
     * Control thread: the socket is bound elsewhere now, or about to be connected. Nothing happens if it never
     * registered anything.
     */
    public void move(Object owner, long cookie, LocalEndpoint to) {
        BoundSocket socket = sockets.get(new SocketId(owner, cookie));
        if (socket != null && (socket.connection() != null || !socket.at().equals(to))) {
            settle(socket.hasPolicy());
            put(owner, cookie, socket.movedTo(to));
        }
    }

    /** Control thread: no process is known any more that has the socket, or one is again. */
    public void setHeld(Object owner, long cookie, boolean held) {
        BoundSocket socket = sockets.get(new SocketId(owner, cookie));
        if (socket != null && socket.held() != held) {
            put(owner, cookie, socket.heldBy(held));
        }
    }

    /** Control thread: the socket is connected, and sends and gets nothing else. */
    public void narrow(Object owner, long cookie, TcpConnection connection) {
        BoundSocket socket = sockets.get(new SocketId(owner, cookie));
        if (socket != null && socket.connection() == null) {
            settle(socket.hasPolicy());
            put(owner, cookie, socket.withConnection(connection));
        }
    }

    /**
     * Control thread: a socket that another has accepted is known by itself from now on. It has the policies that the
     * other has now ({@code __xfrm_sk_clone_policy}); what becomes of that does not concern it.
     */
    public void inherit(Object owner, long cookie, long accepted, TcpConnection connection, long nowSeconds) {
        BoundSocket parent = sockets.get(new SocketId(owner, cookie));
        BoundSocket child = new BoundSocket(accepted, parent.at())
                .withConnection(connection)
                .heldBy(false);
        for (Direction direction : new Direction[] {Direction.IN, Direction.OUT}) {
            Policy policy = parent.policy(direction);
            child = policy == null
                    ? child
                    : child.withPolicy(direction, spd.linkSocketPolicy(policy.spec(), nowSeconds));
        }
        put(owner, accepted, child);
    }

    /** Control thread: whether anything is registered under the number. */
    public boolean contains(Object owner, long cookie) {
        return sockets.containsKey(new SocketId(owner, cookie));
    }

    /** Control thread: whether a socket has a policy. */
    public boolean hasPolicy(Object owner, long cookie) {
        BoundSocket socket = sockets.get(new SocketId(owner, cookie));
        return socket != null && socket.hasPolicy();
    }

    /**
     * Control thread: whether a socket is bound so that it could have accepted what has this address, of its own
     * family.
     */
    public boolean takes(Object owner, long cookie, int family, Address local) {
        BoundSocket socket = sockets.get(new SocketId(owner, cookie));
        return socket != null
                && socket.at().family() == family
                && (socket.isBoundToAny() || socket.at().address().equalsAs(local, family));
    }

    /** Control thread. */
    public void close(Object owner, long cookie) {
        BoundSocket socket = sockets.remove(new SocketId(owner, cookie));
        if (socket != null) {
            settle(socket.hasPolicy());
            forget(socket);
        }
    }

    /** Control thread: all that was registered on a connection. */
    public void closeAll(Object owner) {
        Iterator<Map.Entry<SocketId, BoundSocket>> entries = sockets.entrySet().iterator();
        while (entries.hasNext()) {
            Map.Entry<SocketId, BoundSocket> entry = entries.next();
            if (entry.getKey().owner().equals(owner)) {
                entries.remove();
                settle(entry.getValue().hasPolicy());
                forget(entry.getValue());
            }
        }
    }

    /** Frames that were sent under the policy are judged first. */
    private void settle(boolean needed) {
        if (needed) {
            spd.settle();
        }
    }

    private BoundSocket socket(Object owner, long cookie, LocalEndpoint at) {
        BoundSocket socket = sockets.get(new SocketId(owner, cookie));
        return socket == null ? new BoundSocket(cookie, at) : socket.at().equals(at) ? socket : socket.movedTo(at);
    }

    private void put(Object owner, long cookie, BoundSocket socket) {
        BoundSocket old = sockets.put(new SocketId(owner, cookie), socket);
        publish(socket);
        changed(socket);
        if (old != null) {
            withdraw(old);
            changed(old);
        }
    }

    private void forget(BoundSocket socket) {
        withdraw(socket);
        unlinkPolicies(socket);
        changed(socket);
    }

    private void unlinkPolicies(BoundSocket socket) {
        for (Direction direction : new Direction[] {Direction.IN, Direction.OUT}) {
            if (socket.policy(direction) != null) {
                spd.unlinkSocketPolicy(socket.policy(direction));
            }
        }
    }

    private void publish(BoundSocket socket) {
        LocalEndpoint at = socket.at();
        for (SocketListener listener : listeners) {
            listener.comes(at, socket.in(), socket.out(), socket.encapsulationType());
        }
        PortSockets port = at(at.protocol(), at.port());
        if (port == null) {
            byPort.add(new PortSockets(at.protocol(), at.port(), socket), hash(at.protocol(), at.port()));
        } else {
            port.add(socket);
        }
        count(socket, 1);
    }

    private void count(BoundSocket socket, int more) {
        if (socket.isFloating()) {
            floating.addAndGet(socket.at().protocol(), more);
        }
    }

    private void withdraw(BoundSocket socket) {
        LocalEndpoint at = socket.at();
        PortSockets port = at(at.protocol(), at.port());
        port.remove(socket);
        if (port.isEmpty()) {
            byPort.remove(port, hash(at.protocol(), at.port()));
        }
        count(socket, -1);
        for (SocketListener listener : listeners) {
            listener.goes(at, socket.in(), socket.out(), socket.encapsulationType());
        }
    }

    private PortSockets at(int protocol, int port) {
        int hash = hash(protocol, port);
        HashTable.Table<PortSockets> table = byPort.table();
        for (int i = table.find(hash); i >= 0; i = table.findNext(i, hash)) {
            PortSockets sockets = table.at(i);
            if (sockets != null && sockets.protocol == protocol && sockets.port == port) {
                return sockets;
            }
        }
        return null;
    }

    private static int hash(int protocol, int port) {
        return Hashing.fold((long) protocol << 16 | port & 0xffff);
    }
}
