package org.xfrmbridge.daemon.control;

import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.xfrmbridge.daemon.host.SocketEnds;
import org.xfrmbridge.daemon.host.SocketEntry;
import org.xfrmbridge.daemon.host.SocketTable;
import org.xfrmbridge.daemon.os.OsException;
import org.xfrmbridge.db.Connection;
import org.xfrmbridge.db.SocketPolicies;
import org.xfrmbridge.db.SocketPolicies.LocalEndpoint;
import org.xfrmbridge.time.Clock;
import org.xfrmbridge.xfrm.IpProtocol;

/**
 * How long registered sockets live. What a socket asked for holds as long as the kernel has the socket: after close() it still sends what it holds, a child or
 * another process may have it, too, and what a listening one accepted lives on without it. The kernel is asked for sockets that no client is known to
 * have any more, once a second, and tells of their end. Control thread only.
 */
final class SocketRegistry implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(SocketRegistry.class);
    private static final long LOOK_NS = TimeUnit.SECONDS.toNanos(1);
    /** How long a socket is kept of which the kernel says nothing. */
    private static final long UNKNOWN_NS = TimeUnit.HOURS.toNanos(1);
    /** A socket that is not found may have packets on their way: those have a second. */
    private static final int ABSENCES = 2;
    private static final int MOST_LOOKS = 64;
    private static final long PAUSE_NS = TimeUnit.MILLISECONDS.toNanos(50);

    private final SocketPolicies sockets;
    private final SocketTable kernel;
    private final SocketEnds ends;
    private final Clock clock;
    private final Map<Long, Registered> registered = new HashMap<>();
    private final Set<Registered> unheld = new LinkedHashSet<>();
    private final List<Branch> branches = new ArrayList<>();
    private long nextBranch = Long.MIN_VALUE;
    private long nextLookNs = Long.MAX_VALUE;

    private enum Presence {
        THERE,
        ABSENT,
        UNKNOWN
    }

    /** One socket of the kernel. */
    private static final class Registered {
        final long cookie;
        final long inode;
        final Set<Object> holders = new HashSet<>();
        LocalEndpoint at;
        boolean seen;
        boolean hasListened;
        int absences;
        long lookNs;
        long unheldNs;

        Registered(long cookie, long inode) {
            this.cookie = cookie;
            this.inode = inode;
        }

        boolean isTcp() {
            return at != null && at.protocol() == IpProtocol.TCP && at.port() > 0;
        }

        /** Whether the kernel tells of its end, and nothing else does in time. */
        boolean isAwaited() {
            boolean floats = at != null && IpProtocol.hasPorts(at.protocol()) && at.port() <= 0;
            return at != null && SocketTable.knows(at.protocol()) && (holders.isEmpty() || floats);
        }
    }

    /** What a socket that listened has accepted, by cookie. */
    private static final class Branch {
        final long id;
        final LocalEndpoint at;
        final Map<Long, Connection> connections;
        long lookNs;

        Branch(long id, LocalEndpoint at, Map<Long, Connection> connections, long lookNs) {
            this.id = id;
            this.at = at;
            this.connections = connections;
            this.lookNs = lookNs;
        }
    }

    SocketRegistry(SocketPolicies sockets, Clock clock) throws OsException {
        this.sockets = sockets;
        this.clock = clock;
        kernel = new SocketTable();
        ends = new SocketEnds();
    }

    SocketEnds ends() {
        return ends;
    }

    /** A client has this socket. */
    void hold(Object holder, long cookie, long inode) {
        Registered socket = registered.computeIfAbsent(cookie, number -> new Registered(number, inode));
        socket.holders.add(holder);
        unheld.remove(socket);
        sockets.setHeld(this, cookie, true);
    }

    /** Before anything of the socket changes: what was accepted keeps what it has. */
    void prepare(long cookie, LocalEndpoint at) {
        Registered socket = registered.get(cookie);
        socket.at = at;
        socket.absences = 0;
        if (socket.isTcp()) {
            List<SocketEntry> all = atPort(at);
            SocketEntry own = own(socket, all);
            if (own != null && own.isConnected()) {
                inherit(socket, own);
            } else {
                branchOff(socket, all);
            }
        }
        awaitEnds();
    }

    private List<SocketEntry> atPort(LocalEndpoint at) {
        try {
            return kernel.atPort(at.family(), at.protocol(), at.port());
        } catch (OsException e) {
            LOG.debug("sockets could not be asked for: {}", e.getMessage());
            return List.of();
        }
    }

    private static SocketEntry own(Registered socket, List<SocketEntry> all) {
        for (SocketEntry entry : all) {
            if (entry.cookie() == socket.cookie) {
                socket.seen = true;
                socket.hasListened |= entry.isListening();
                return entry;
            }
        }
        return null;
    }

    private void branchOff(Registered parent, List<SocketEntry> all) {
        Map<Long, Connection> accepted = new HashMap<>();
        for (SocketEntry entry : all) {
            boolean known = registered.containsKey(entry.cookie())
                    || branches.stream().anyMatch(branch -> branch.connections.containsKey(entry.cookie()));
            if (entry.isConnected() && !known && sockets.takes(this, parent.cookie, entry.family(), entry.local())) {
                accepted.put(entry.cookie(), connection(entry));
            }
        }
        if (!accepted.isEmpty() && sockets.hasPolicy(this, parent.cookie)) {
            Branch branch = new Branch(nextBranch++, parent.at, accepted, clock.nowNs() + LOOK_NS);
            sockets.branch(this, parent.cookie, branch.id, Set.copyOf(accepted.values()), clock.epochSeconds());
            branches.add(branch);
            nextLookNs = Math.min(nextLookNs, branch.lookNs);
        }
    }

    private static Connection connection(SocketEntry entry) {
        return Connection.of(entry.family(), entry.local(), entry.remote(), entry.remotePort());
    }

    /** A connection that gets a policy of its own had those of what listened, until now. */
    private void inherit(Registered child, SocketEntry own) {
        if (sockets.contains(this, child.cookie)) {
            return;
        }
        Long parent = null;
        for (Branch branch : branches) {
            parent = branch.connections.remove(child.cookie) != null ? Long.valueOf(branch.id) : parent;
        }
        for (Registered other : registered.values()) {
            boolean listens = parent == null && other.hasListened && other.isTcp() && other.at.port() == child.at.port();
            if (listens && sockets.takes(this, other.cookie, own.family(), own.local())) {
                parent = other.cookie;
            }
        }
        if (parent != null) {
            sockets.branch(this, parent, child.cookie, Set.of(connection(own)), clock.epochSeconds());
            sockets.setHeld(this, child.cookie, true);
        }
    }

    /** A client has closed the socket; others may have it still. */
    void release(Object holder, long cookie) {
        Registered socket = registered.get(cookie);
        if (socket != null && socket.holders.remove(holder) && socket.holders.isEmpty()) {
            if (!sockets.contains(this, cookie)) {
                registered.remove(cookie);
                return;
            }
            if (socket.isTcp()) {
                List<SocketEntry> all = atPort(socket.at);
                own(socket, all);
                if (socket.hasListened) {
                    branchOff(socket, all);
                }
            }
            sockets.setHeld(this, cookie, false);
            socket.unheldNs = clock.nowNs();
            socket.lookNs = clock.nowNs() + LOOK_NS;
            nextLookNs = Math.min(nextLookNs, socket.lookNs);
            unheld.add(socket);
            awaitEnds();
        }
    }

    /** A client is gone. */
    void releaseAll(Object holder) {
        for (Registered socket : List.copyOf(registered.values())) {
            release(holder, socket.cookie);
        }
    }

    private void awaitEnds() {
        try {
            ends.listen(registered.values().stream().anyMatch(Registered::isAwaited));
        } catch (OsException e) {
            LOG.warn("the ends of sockets cannot be awaited: {}", e.getMessage());
        }
    }

    /** What {@link #ends} has to tell. */
    void readEnds() {
        try {
            ends.read(this::end);
        } catch (OsException e) {
            LOG.debug("ends of sockets were missed: {}", e.getMessage());
        }
    }

    private void end(long cookie) {
        Registered socket = registered.get(cookie);
        if (socket == null) {
            return;
        }
        socket.holders.clear();
        // What TIME_WAIT leaves has the same cookie.
        socket.absences = ABSENCES - 1;
        if (!socket.isTcp() || presence(socket) != Presence.THERE) {
            forget(socket);
        }
    }

    private void forget(Registered socket) {
        registered.remove(socket.cookie);
        unheld.remove(socket);
        sockets.close(this, socket.cookie);
        awaitEnds();
    }

    /** When {@link #look} is due; {@link Long#MAX_VALUE} if nothing is waited for. */
    long nextLookNs() {
        return nextLookNs;
    }

    /** Asks for what nobody is known to have. */
    void look() {
        long nowNs = clock.nowNs();
        int looks = 0;
        nextLookNs = Long.MAX_VALUE;
        for (Registered socket : List.copyOf(unheld)) {
            if (nowNs - socket.lookNs >= 0 && looks++ < MOST_LOOKS) {
                socket.lookNs = nowNs + LOOK_NS;
                lookAt(socket, nowNs);
            }
            nextLookNs = Math.min(nextLookNs, socket.lookNs);
        }
        for (Branch branch : List.copyOf(branches)) {
            if (nowNs - branch.lookNs >= 0 && looks++ < MOST_LOOKS) {
                branch.lookNs = nowNs + LOOK_NS;
                lookAt(branch);
            }
            nextLookNs = Math.min(nextLookNs, branch.lookNs);
        }
        // Many at a time would keep clients waiting: the others have their turn a little later.
        nextLookNs = looks > MOST_LOOKS ? nowNs + PAUSE_NS : nextLookNs;
    }

    private void lookAt(Registered socket, long nowNs) {
        Presence presence = presence(socket);
        if (presence == Presence.UNKNOWN && nowNs - socket.unheldNs < UNKNOWN_NS) {
            return;
        }
        socket.absences = presence == Presence.THERE ? 0 : socket.absences + 1;
        if (socket.absences == 1 && socket.hasListened) {
            branchOff(socket, atPort(socket.at));
        }
        if (socket.absences >= ABSENCES) {
            forget(socket);
        }
    }

    private Presence presence(Registered socket) {
        LocalEndpoint at = socket.at;
        try {
            if (!SocketTable.knows(at.protocol()) || at.port() == SocketPolicies.EVERY_PORT) {
                return SocketTable.isListed(socket.inode) ? Presence.THERE : Presence.ABSENT;
            }
            if (at.port() == 0) {
                return Presence.UNKNOWN;
            }
            SocketEntry own = own(socket, kernel.atPort(at.family(), at.protocol(), at.port()));
            if (own == null) {
                // Before Linux 6.8 a TCP socket is not listed that does nothing yet.
                return at.protocol() == IpProtocol.TCP && !socket.seen ? Presence.UNKNOWN : Presence.ABSENT;
            }
            if (own.inode() == 0 && own.isConnected()) {
                sockets.narrow(this, socket.cookie, connection(own));
            }
            return Presence.THERE;
        } catch (IOException e) {
            LOG.debug("a socket could not be asked for: {}", e.getMessage());
            return Presence.UNKNOWN;
        }
    }

    private void lookAt(Branch branch) {
        try {
            Set<Long> there = new HashSet<>();
            kernel.atPort(branch.at.family(), branch.at.protocol(), branch.at.port()).forEach(entry -> there.add(entry.cookie()));
            branch.connections.keySet().retainAll(there);
        } catch (OsException e) {
            LOG.debug("connections could not be asked for: {}", e.getMessage());
            return;
        }
        if (branch.connections.isEmpty()) {
            branches.remove(branch);
            sockets.close(this, branch.id);
        } else {
            sockets.setConnections(this, branch.id, Set.copyOf(branch.connections.values()));
        }
    }

    @Override
    public void close() {
        kernel.close();
        ends.close();
    }
}
