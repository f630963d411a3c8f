package org.xfrmbridge.db;

import java.util.HashMap;
import java.util.Iterator;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import org.xfrmbridge.xfrm.Address;
import org.xfrmbridge.xfrm.Direction;
import org.xfrmbridge.xfrm.Flow;
import org.xfrmbridge.xfrm.IpProtocol;
import org.xfrmbridge.xfrm.Policy;
import org.xfrmbridge.xfrm.PolicySpec;

/**
 * Policies of single sockets (IP_XFRM_POLICY) and sockets that take ESP in UDP (UDP_ENCAP). Packets carry no socket, so a socket is
 * known by protocol, local address and local port: the one bound to the packet's address before one bound to any, one of the packet's family
 * before an INET6 one that would take it too, the one bound last before others. An INET6 socket bound to any address, or to a mapped one, also has the IPv4 packets of its port, unless it
 * is {@link Families#OWN}; its policies are then still those of their own family, as {@code xfrm_sk_policy_lookup} has it.
 *
 * <p>The control thread registers, any thread looks up and never waits. Ports in host order.
 */
public final class SocketPolicies {
    private static final int CHANGE_STRIPES = 64;
    private static final int CHANGES_KEPT = 512;

    private final Spd spd;
    private final Map<SocketId, BoundSocket> sockets = new HashMap<>();
    private final Slots<PortSockets> byPort = new Slots<>();
    private final ChangeLog<LocalEndpoint> changes = new ChangeLog<>(CHANGE_STRIPES, CHANGES_KEPT);
    private final AtomicInteger generation = new AtomicInteger();

    /** Where a socket is bound; port 0 and the any address while it is not. */
    public record LocalEndpoint(int family, int protocol, Address address, int port, Families families) {
        /** As a socket is if nobody says otherwise. */
        public LocalEndpoint(int family, int protocol, Address address, int port) {
            this(family, protocol, address, port, Families.BOTH);
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

    /** The policy of the socket a flow leaves from (OUT) or arrives at (IN), or null. Any thread, never blocks. */
    public Policy lookup(Direction direction, Flow flow) {
        if (direction == Direction.FWD) {
            return null;
        }
        boolean out = direction == Direction.OUT;
        PortSockets port = at(flow.protocol, out ? flow.sport : flow.dport);
        if (port == null) {
            return null;
        }
        long high = out ? flow.saddrHigh : flow.daddrHigh;
        long low = out ? flow.saddrLow : flow.daddrLow;
        BoundSocket socket = port.withPolicy(flow.family, high, low);
        Policy policy = socket == null ? null : socket.policy(direction);
        return policy != null && policy.spec().matches(flow) ? policy : null;
    }

    /** The encapsulation type (2: ESP in UDP) a socket on this local UDP port and address asked for, or 0. Any thread. */
    public int encapsulationType(int family, long addressHigh, long addressLow, int port) {
        PortSockets sockets = at(IpProtocol.UDP, port);
        BoundSocket socket = sockets == null ? null : sockets.withEncapsulation(family, addressHigh, addressLow);
        return socket == null ? 0 : socket.encapsulationType();
    }

    /** Where something has changed lately; {@link PolicyWatch} reads it. */
    ChangeLog<LocalEndpoint> changes() {
        return changes;
    }

    static int stripe(int protocol, int port) {
        return hash(protocol, port) & CHANGE_STRIPES - 1;
    }

    private void changed(LocalEndpoint at) {
        changes.add(stripe(at.protocol(), at.port()), at);
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
            put(owner, cookie, socket.withPolicy(Direction.IN, null).withPolicy(Direction.OUT, null));
            unlinkPolicies(socket);
        }
    }

    /** Control thread: type 0 ends it. */
    public void setEncapsulation(Object owner, long cookie, LocalEndpoint at, int type) {
        put(owner, cookie, socket(owner, cookie, at).withEncapsulation(type));
    }

    /** Control thread: the socket is bound elsewhere now. Nothing happens if it never registered anything. */
    public void move(Object owner, long cookie, LocalEndpoint to) {
        BoundSocket socket = sockets.get(new SocketId(owner, cookie));
        if (socket != null) {
            put(owner, cookie, socket.movedTo(to));
        }
    }

    /** Control thread. */
    public void close(Object owner, long cookie) {
        BoundSocket socket = sockets.remove(new SocketId(owner, cookie));
        if (socket != null) {
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
                forget(entry.getValue());
            }
        }
    }

    private BoundSocket socket(Object owner, long cookie, LocalEndpoint at) {
        BoundSocket socket = sockets.get(new SocketId(owner, cookie));
        return socket == null ? new BoundSocket(at, null, null, 0) : socket.movedTo(at);
    }

    private void put(Object owner, long cookie, BoundSocket socket) {
        BoundSocket old = sockets.put(new SocketId(owner, cookie), socket);
        publish(socket);
        changed(socket.at());
        if (old != null) {
            withdraw(old);
            changed(old.at());
        }
    }

    private void forget(BoundSocket socket) {
        withdraw(socket);
        unlinkPolicies(socket);
        changed(socket.at());
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
        PortSockets port = at(at.protocol(), at.port());
        if (port == null) {
            byPort.add(new PortSockets(at.protocol(), at.port(), socket), hash(at.protocol(), at.port()));
        } else {
            port.add(socket);
        }
    }

    private void withdraw(BoundSocket socket) {
        LocalEndpoint at = socket.at();
        PortSockets port = at(at.protocol(), at.port());
        port.remove(socket);
        if (port.isEmpty()) {
            byPort.remove(port, hash(at.protocol(), at.port()));
        }
    }

    private PortSockets at(int protocol, int port) {
        int hash = hash(protocol, port);
        Slots.Table<PortSockets> table = byPort.table();
        for (int i = table.find(hash); i >= 0; i = table.findNext(i, hash)) {
            PortSockets sockets = table.at(i);
            if (sockets != null && sockets.protocol == protocol && sockets.port == port) {
                return sockets;
            }
        }
        return null;
    }

    private static int hash(int protocol, int port) {
        return Hashing.fold((long) protocol << 16 | port);
    }
}
