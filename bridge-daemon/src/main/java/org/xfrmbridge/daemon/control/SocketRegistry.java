package org.xfrmbridge.daemon.control;

import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.xfrmbridge.daemon.host.SocketDestroyEvents;
import org.xfrmbridge.daemon.host.SocketEntry;
import org.xfrmbridge.daemon.host.SocketTable;
import org.xfrmbridge.daemon.os.OsException;
import org.xfrmbridge.db.SocketPolicies;
import org.xfrmbridge.db.SocketPolicies.LocalEndpoint;
import org.xfrmbridge.db.TcpConnection;
import org.xfrmbridge.time.Clock;
import org.xfrmbridge.xfrm.IpProtocol;

/**
 * How long registered sockets live. What a socket asked for holds as long as the kernel has the socket: after close()
 * it still sends what it holds, a child or another process may have it, too, and what a listening one accepted lives on
 * without it. The kernel is asked for sockets that no client is known to have any more, once a second, and tells of
 * their end. Control thread only.
 */
final class SocketRegistry implements AutoCloseable {
    /** What lines are about. */
    static final String SOCKET = "socket";

    static final String POLICY = "policy ";
    static final String ENCAPSULATION = "encap";
    static final String MOVED = "moved";
    static final String ACCEPTED = "accepted";

    private static final Logger LOG = LoggerFactory.getLogger(SocketRegistry.class);
    private static final long LOOK_NS = TimeUnit.SECONDS.toNanos(1);
    private static final long PAUSE_NS = TimeUnit.MILLISECONDS.toNanos(50);
    /** How long a socket is kept of which the kernel says nothing. */
    private static final long UNKNOWN_NS = TimeUnit.HOURS.toNanos(1);
    /** A socket that is not found may have packets on their way: those have a second. */
    private static final int ABSENCES = 2;

    private static final int MOST_QUESTIONS = 64;
    private static final int SOCK_STREAM = 1;
    private static final String GONE = "gone ";

    private final SocketPolicies sockets;
    private final SocketTable kernel;
    private final SocketDestroyEvents ends;
    private final SocketJournal journal;
    private final Clock clock;
    private final Map<Long, RegisteredSocket> registered = new HashMap<>();
    private final Set<RegisteredSocket> unheld = new LinkedHashSet<>();
    private final Map<Port, List<SocketEntry>> answers = new HashMap<>();
    private long nextLookNs = Long.MAX_VALUE;

    /** The file is whole until all of it was taken up. */
    private boolean resuming;

    private enum Presence {
        THERE,
        ABSENT,
        UNKNOWN
    }

    /** What one question to the kernel is about. */
    private record Port(int family, int protocol, int port) {
        static Port of(LocalEndpoint at) {
            return new Port(at.family(), at.protocol(), at.port());
        }
    }

    SocketRegistry(SocketPolicies sockets, SocketJournal journal, Clock clock) {
        this.sockets = sockets;
        this.journal = journal;
        this.clock = clock;
        kernel = new SocketTable();
        ends = new SocketDestroyEvents();
    }

    SocketDestroyEvents ends() {
        return ends;
    }

    /** Takes up what an earlier bridge knew. @param registration which is told its lines, and ends */
    void resume(SocketRegistration registration) throws IOException {
        resuming = true;
        for (String line : journal.read()) {
            if (line.startsWith(GONE)) {
                registered.values().stream()
                        .filter(socket -> line.equals(GONE + socket.cookie))
                        .findAny()
                        .ifPresent(this::forget);
            } else {
                registration.line(line, true);
            }
        }
        registration.end();
        resuming = false;
        rewrite();
    }

    private void rewrite() {
        List<String> live = new ArrayList<>();
        registered.values().forEach(socket -> live.addAll(socket.lines()));
        journal.rewrite(live);
    }

    /**
     * A line was obeyed that said something of the socket.
     *
     * @param about what takes the place of what was said before; null for all policies
     */
    void note(long cookie, String about, String[] parts) {
        RegisteredSocket socket = get(cookie);
        String[] own = parts.clone();
        own[1] = String.valueOf(cookie);
        String line = String.join(" ", own) + (SOCKET.equals(about) && parts.length == 4 ? " " + socket.inode : "");
        socket.say(about, line);
        if (!resuming) {
            journal.add(line);
            if (journal.isWorn(registered.size())) {
                rewrite();
            }
        }
    }

    /** Whether a bridge that comes after this one would know all that was said. */
    boolean isKept() {
        return resuming || journal.isKept();
    }

    /** A client has this socket. */
    void hold(Object holder, long cookie, long inode) {
        RegisteredSocket socket = registered.computeIfAbsent(cookie, number -> new RegisteredSocket(number, inode));
        socket.holders.add(holder);
        unheld.remove(socket);
        sockets.setHeld(this, cookie, true);
    }

    private RegisteredSocket get(long cookie) {
        RegisteredSocket socket = registered.get(cookie);
        if (socket == null) {
            throw new IllegalArgumentException("the kernel has no such socket any more");
        }
        return socket;
    }

    /** Before anything of the socket changes: what was accepted keeps what it has. */
    void prepare(long cookie, LocalEndpoint at) {
        RegisteredSocket socket = get(cookie);
        socket.at = at;
        socket.absences = 0;
        if (socket.isTcp()) {
            List<SocketEntry> all = atPort(at);
            SocketEntry own = socket.find(all);
            if (own != null && own.isConnected()) {
                adopt(socket, own);
            } else {
                passOn(socket, all);
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

    /** What a socket has accepted becomes known by itself. */
    private void passOn(RegisteredSocket parent, List<SocketEntry> all) {
        for (SocketEntry entry : all) {
            boolean accepted = entry.isConnected()
                    && !registered.containsKey(entry.cookie())
                    && sockets.takes(this, parent.cookie, entry.family(), entry.local());
            if (accepted && sockets.hasPolicy(this, parent.cookie)) {
                RegisteredSocket child = new RegisteredSocket(entry.cookie(), entry.inode());
                child.at = parent.at;
                registered.put(child.cookie, child);
                inherit(parent, child, entry);
                await(child);
            }
        }
    }

    private void inherit(RegisteredSocket parent, RegisteredSocket child, SocketEntry own) {
        sockets.inherit(this, parent.cookie, child.cookie, connection(own), clock.epochSeconds());
        child.find(List.of(own));
        String cookie = String.valueOf(child.cookie);
        note(child.cookie, SOCKET, new String[] {SOCKET, cookie, cookie, String.valueOf(SOCK_STREAM)});
        parent.policiesFor(child.cookie).forEach((about, line) -> note(child.cookie, about, line.split(" ")));
        note(child.cookie, ACCEPTED, new String[] {
            ACCEPTED,
            cookie,
            String.valueOf(own.family()),
            String.valueOf(IpProtocol.TCP),
            own.local().toText(own.family()),
            String.valueOf(own.localPort()),
            own.remote().toText(own.family()),
            String.valueOf(own.remotePort())
        });
    }

    private static TcpConnection connection(SocketEntry entry) {
        return TcpConnection.of(entry.family(), entry.local(), entry.remote(), entry.remotePort());
    }

    /** An accepted socket that a client names first: until now it had the policies of what listened. */
    private void adopt(RegisteredSocket child, SocketEntry own) {
        if (sockets.contains(this, child.cookie)) {
            return;
        }
        for (RegisteredSocket other : registered.values()) {
            boolean listens = other.hasListened && other.isTcp() && other.at.port() == child.at.port();
            if (listens && sockets.takes(this, other.cookie, own.family(), own.local())) {
                inherit(other, child, own);
                sockets.setHeld(this, child.cookie, true);
                return;
            }
        }
    }

    /** A client has closed the socket; others may have it still. */
    void release(Object holder, long cookie) {
        RegisteredSocket socket = registered.get(cookie);
        if (socket == null || !socket.holders.remove(holder) || !socket.holders.isEmpty()) {
            return;
        }
        if (!sockets.contains(this, cookie)) {
            forget(socket);
            return;
        }
        if (socket.isTcp()) {
            List<SocketEntry> all = atPort(socket.at);
            socket.find(all);
            if (socket.hasListened) {
                passOn(socket, all);
            }
        }
        sockets.setHeld(this, cookie, false);
        await(socket);
        awaitEnds();
    }

    private void await(RegisteredSocket socket) {
        socket.unheldNs = clock.nowNs();
        socket.lookNs = socket.unheldNs + LOOK_NS;
        nextLookNs = Math.min(nextLookNs, socket.lookNs);
        unheld.add(socket);
    }

    /** A client is gone. */
    void releaseAll(Object holder) {
        for (RegisteredSocket socket : List.copyOf(registered.values())) {
            release(holder, socket.cookie);
        }
    }

    private void awaitEnds() {
        try {
            ends.listen(registered.values().stream().anyMatch(RegisteredSocket::isAwaited));
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
        RegisteredSocket socket = registered.get(cookie);
        if (socket == null) {
            return;
        }
        socket.holders.clear();
        // What TIME_WAIT leaves has the same cookie, and is looked at until it has gone, too.
        answers.clear();
        if (socket.hasListened) {
            passOn(socket, atPort(socket.at));
        }
        if (socket.isTcp() && presence(socket) == Presence.THERE) {
            await(socket);
        } else {
            forget(socket);
        }
    }

    private void forget(RegisteredSocket socket) {
        registered.remove(socket.cookie);
        unheld.remove(socket);
        sockets.close(this, socket.cookie);
        journal.add(GONE + socket.cookie);
        awaitEnds();
    }

    /** When {@link #look} is due; {@link Long#MAX_VALUE} if nothing is waited for. */
    long nextLookNs() {
        return nextLookNs;
    }

    /**
     * Asks for what nobody is known to have. The kernel is asked once for each port; if there are many, for the rest a
     * little later.
     */
    void look() {
        long nowNs = clock.nowNs();
        nextLookNs = Long.MAX_VALUE;
        answers.clear();
        for (RegisteredSocket socket : List.copyOf(unheld)) {
            if (nowNs - socket.lookNs >= 0 && answers.size() < MOST_QUESTIONS) {
                socket.lookNs = nowNs + LOOK_NS;
                lookAt(socket, nowNs);
            }
            if (unheld.contains(socket)) {
                nextLookNs = Math.min(nextLookNs, Math.max(socket.lookNs, nowNs + PAUSE_NS));
            }
        }
        answers.clear();
    }

    private void lookAt(RegisteredSocket socket, long nowNs) {
        Presence presence = presence(socket);
        if (presence == Presence.UNKNOWN && nowNs - socket.unheldNs < UNKNOWN_NS) {
            return;
        }
        socket.absences = presence == Presence.THERE ? 0 : socket.absences + 1;
        if (socket.absences == 1 && socket.hasListened) {
            passOn(socket, atPort(socket.at));
        }
        if (socket.absences >= ABSENCES) {
            forget(socket);
        }
    }

    private Presence presence(RegisteredSocket socket) {
        LocalEndpoint at = socket.at;
        try {
            if (!SocketTable.knows(at.protocol()) || at.port() == SocketPolicies.EVERY_PORT) {
                return SocketTable.isListed(socket.inode) ? Presence.THERE : Presence.ABSENT;
            }
            if (at.port() == 0) {
                return Presence.UNKNOWN;
            }
            List<SocketEntry> all = answers.get(Port.of(at));
            if (all == null) {
                all = kernel.atPort(at.family(), at.protocol(), at.port());
                answers.put(Port.of(at), all);
            }
            SocketEntry own = socket.find(all);
            if (own == null) {
                return socket.wouldBeFound() ? Presence.ABSENT : Presence.UNKNOWN;
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

    @Override
    public void close() {
        kernel.close();
        ends.close();
        journal.close();
    }
}
