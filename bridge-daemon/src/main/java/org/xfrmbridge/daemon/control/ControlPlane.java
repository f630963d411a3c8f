package org.xfrmbridge.daemon.control;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import java.util.function.UnaryOperator;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.xfrmbridge.daemon.control.DatagramChannel.Taking;
import org.xfrmbridge.daemon.os.BridgeSocket;
import org.xfrmbridge.daemon.os.OsException;
import org.xfrmbridge.daemon.os.UnixConnection;
import org.xfrmbridge.daemon.os.UnixServer;
import org.xfrmbridge.db.SocketPolicies;
import org.xfrmbridge.io.ClientLoad;
import org.xfrmbridge.km.RequestListener;
import org.xfrmbridge.km.XfrmEngine;
import org.xfrmbridge.netlink.server.NetlinkKeyManager;
import org.xfrmbridge.netlink.server.NetlinkSession;
import org.xfrmbridge.pfkey.server.PfkeyCaller;
import org.xfrmbridge.pfkey.server.PfkeyKeyManager;
import org.xfrmbridge.pfkey.server.PfkeySession;
import org.xfrmbridge.time.Clock;

/**
 * The control side with its clients: the sockets of a directory, the engine, whatever else is waited on. Two threads
 * run it: {@link #serve} for clients with rights and all changes, {@link #serveUnprivileged} for those without, which
 * touches nothing of the engine.
 */
public final class ControlPlane implements ControlLoop.Work {
    private static final Logger LOG = LoggerFactory.getLogger(ControlPlane.class);
    private static final long UPKEEP_NS = TimeUnit.SECONDS.toNanos(10);

    /** Port ids of clients without a name of ours: as of sockets never bound, with the top bit set. */
    private static final int UNNAMED_PORT_ID = 0x8000_0000;

    private static final int FOR_ROOT = 0600;
    private static final int FOR_GROUP = 0660;

    private final XfrmEngine engine;
    private final Clock clock;
    private final ControlLoop loop;
    private final ControlLoop guestLoop;
    private final ChangeBatch batch;
    private final Runnable afterEachRound;
    private final LongSupplier deadlineNs;
    private final Runnable everyFewSeconds;
    private final EventLog log;
    private final NetlinkKeyManager netlink = new NetlinkKeyManager();
    private final PfkeyKeyManager pfkey = new PfkeyKeyManager();
    private final Sysctls sysctls;
    private final Access access;
    private final int privilegedGid;
    private final SocketRegistry registry;
    private long upkeepNs;

    /** What it is made with. Without the rest, it serves clients alone. */
    public static final class Builder {
        private final ControlLoop loop;
        private final Clock clock;
        private final XfrmEngine engine;
        private final SocketPolicies sockets;
        private final List<Channel> channels = new ArrayList<>();
        private ChangeBatch batch = ChangeBatch.NONE;
        private Runnable afterEachRound = () -> {};
        private LongSupplier deadlineNs = () -> Long.MAX_VALUE;
        private Runnable everyFewSeconds = () -> {};
        private final Map<String, UnaryOperator<String>> queries = new HashMap<>();

        private Builder(ControlLoop loop, Clock clock, XfrmEngine engine, SocketPolicies sockets) {
            this.loop = loop;
            this.clock = clock;
            this.engine = engine;
            this.sockets = sockets;
        }

        /** Told of each datagram of requests, and of each run of the timers. */
        public Builder batch(ChangeBatch told) {
            batch = told;
            return this;
        }

        /** Waited on, too, and closed in the end. */
        public Builder channel(Channel channel) {
            channels.add(channel);
            return this;
        }

        public Builder afterEachRound(Runnable done) {
            afterEachRound = done;
            return this;
        }

        /** By when there is to be a round, on the clock; {@link Long#MAX_VALUE} for none. */
        public Builder deadlineNs(LongSupplier asked) {
            deadlineNs = asked;
            return this;
        }

        public Builder everyFewSeconds(Runnable done) {
            everyFewSeconds = done;
            return this;
        }

        /** What clients with rights are told who ask by a line that begins with that word. */
        public Builder query(String word, UnaryOperator<String> answers) {
            queries.put(word, answers);
            return this;
        }

        /**
         * Opens the sockets; from here on clients connect, and wait to be served.
         *
         * @param directory of the sockets; the caller holds its lock
         * @param privilegedGid whose members may change anything, as root may; negative for nobody
         */
        public ControlPlane listen(Path directory, int privilegedGid, Statistics statistics) throws IOException {
            return new ControlPlane(this, directory, privilegedGid, statistics);
        }
    }

    /** @param loop whose {@link ControlLoop#wakeUp} the engine calls */
    public static Builder builder(ControlLoop loop, Clock clock, XfrmEngine engine, SocketPolicies sockets) {
        return new Builder(loop, clock, engine, sockets);
    }

    private ControlPlane(Builder setup, Path directory, int privilegedGid, Statistics statistics) throws IOException {
        engine = setup.engine;
        clock = setup.clock;
        loop = setup.loop;
        guestLoop = new ControlLoop(clock);
        batch = setup.batch;
        afterEachRound = setup.afterEachRound;
        deadlineNs = setup.deadlineNs;
        everyFewSeconds = setup.everyFewSeconds;
        log = new EventLog(clock);
        sysctls = new Sysctls(engine);
        access = new Access(privilegedGid);
        this.privilegedGid = privilegedGid;
        upkeepNs = clock.nowNs() + UPKEEP_NS;
        engine.register(netlink);
        engine.register(pfkey);
        engine.listen(log);
        for (Channel channel : setup.channels) {
            loop.add(channel);
        }
        registry = new SocketRegistry(setup.sockets, new SocketJournal(directory), clock);
        if (registry.ends().fd() >= 0) {
            loop.add(new SocketDestroyChannel(registry));
        } else {
            LOG.warn("the kernel does not tell of its sockets (sock_diag): policies of sockets hold for an hour "
                    + "after their close()");
        }
        registry.resume(registration(Peer.SELF, setup.sockets));
        listen(directory, setup.sockets, PublicQueries.of(statistics, pfkey, sysctls), setup.queries);
    }

    /** @param ofRights what clients with rights may ask besides, by the word that it begins with */
    private void listen(
            Path directory, SocketPolicies sockets, PublicQueries open, Map<String, UnaryOperator<String>> ofRights)
            throws IOException {
        PublicQueries queries = open;
        for (Map.Entry<String, UnaryOperator<String>> query : ofRights.entrySet()) {
            queries = queries.and(query.getKey(), query.getValue());
        }
        PublicQueries queriesOfPrivileged = queries;
        PublicQueries queriesOfGuests = PublicQueries.through(loop, open);
        UnprivilegedConnections guests = new UnprivilegedConnections();
        listen(
                directory,
                BridgeSocket.CONTROL,
                UnixServer.Type.STREAM,
                guests,
                (connection, peer) -> textClient(
                        connection, peer, peer.privileged() ? queriesOfPrivileged : queriesOfGuests, sockets));
        PfkeyKeyManager nobody = new PfkeyKeyManager();
        listen(
                directory,
                BridgeSocket.PFKEY,
                UnixServer.Type.SEQPACKET,
                guests,
                (connection, peer) -> pfkeyClient(connection, peer, peer.privileged() ? pfkey : nobody, sockets));
        NetlinkKeyManager silent = new NetlinkKeyManager();
        // Last: the preload library takes this one for the sign that a bridge is there.
        listen(
                directory,
                BridgeSocket.NETLINK,
                UnixServer.Type.SEQPACKET,
                guests,
                (connection, peer) -> netlinkClient(connection, peer, peer.privileged() ? netlink : silent));
    }

    private void listen(
            Path directory,
            BridgeSocket socket,
            UnixServer.Type type,
            UnprivilegedConnections guests,
            Listener.Reception reception)
            throws IOException {
        Listener.Reception welcome = (connection, peer) -> guests.welcome(connection, peer, reception);
        Path inside = socket.privilegedIn(directory);
        Path outside = socket.in(directory);
        UnixServer forPrivileged = UnixServer.listen(inside, type, privilegedGid >= 0 ? FOR_GROUP : FOR_ROOT);
        loop.add(new Listener(
                forPrivileged,
                loop,
                access,
                (connection, peer) -> peer.privileged()
                        ? reception.receive(connection, peer)
                        : pass(guestLoop, connection, peer, welcome)));
        UnixServer forAll = UnixServer.listen(outside, type, UnixServer.FOR_ALL);
        guestLoop.add(new Listener(
                forAll,
                guestLoop,
                access,
                (connection, peer) -> peer.privileged()
                        ? pass(loop, connection, peer, reception)
                        : welcome.receive(connection, peer)));
        if (privilegedGid >= 0) {
            // By that of the second the preload library tells who is privileged.
            Files.setAttribute(inside, "unix:gid", privilegedGid);
            Files.setAttribute(outside, "unix:gid", privilegedGid);
        }
    }

    /** To the loop that serves such clients. Null: it is not for this one. */
    private static Channel pass(ControlLoop other, UnixConnection connection, Peer peer, Listener.Reception reception) {
        try {
            other.execute(() -> receive(other, connection, peer, reception));
        } catch (RejectedExecutionException e) {
            connection.close();
        }
        return null;
    }

    private static void receive(ControlLoop other, UnixConnection connection, Peer peer, Listener.Reception reception) {
        try {
            Channel channel = reception.receive(connection, peer);
            if (channel != null) {
                other.add(channel);
            }
        } catch (OsException e) {
            LOG.debug("a client was gone before it was served: {}", e.getMessage());
            connection.close();
        }
    }

    private Channel textClient(UnixConnection connection, Peer peer, PublicQueries queries, SocketPolicies sockets) {
        return new TextChannel(connection, peer, new TextConversation(queries, sysctls, registration(peer, sockets)));
    }

    private SocketRegistration registration(Peer peer, SocketPolicies sockets) {
        SocketRegistration.PfkeyPolicies ofPfkey = (option, family) -> pfkey.socketPolicy(option, family, engine);
        return new SocketRegistration(engine, sockets, registry, ofPfkey, peer);
    }

    /** Strangers are refused, each time, and hear nothing: of the engine they reach nothing. */
    private Channel netlinkClient(UnixConnection connection, Peer peer, NetlinkKeyManager keyManager)
            throws OsException {
        DatagramChannel channel = channel(connection, peer.privileged() ? Taking.FIRST : Taking.LAST, peer, "netlink");
        start(channel, peer, () -> {
            int portId = PortName.portId(connection.peerName(), UNNAMED_PORT_ID | peer.pid());
            return new NetlinkSession(engine, keyManager, channel, portId, peer.privileged());
        });
        return channel;
    }

    private Channel pfkeyClient(
            UnixConnection connection, Peer peer, PfkeyKeyManager keyManager, SocketPolicies sockets)
            throws OsException {
        DatagramChannel channel = channel(connection, Taking.LAST, peer, "pfkey");
        start(channel, peer, () -> {
            PfkeyCaller client = new PfkeyCaller(connection.fd(), peer.uid(), peer.privileged());
            return new PfkeyChannelSession(new PfkeySession(engine, keyManager, channel, client), sockets, peer);
        });
        return channel;
    }

    private static void start(DatagramChannel channel, Peer peer, DatagramChannel.Opening session) throws OsException {
        if (peer.privileged()) {
            channel.start(session.open());
        } else {
            channel.startLater(session);
        }
    }

    private DatagramChannel channel(UnixConnection connection, Taking taking, Peer peer, String protocol) {
        return peer.privileged()
                ? new DatagramChannel(connection, taking, batch, loop.busyMailboxes(), peer, protocol)
                : new DatagramChannel(connection, taking, ChangeBatch.NONE, guestLoop.busyMailboxes(), peer, protocol);
    }

    /** How far clients with rights are behind, by front end. Control thread only. */
    public Map<String, ClientLoad> clients() {
        return Map.of("netlink", netlink.clients(), "pfkey", pfkey.clients());
    }

    /** From now on these hear of the requests of clients with rights. Control thread only. */
    public void onRequest(RequestListener ofNetlink, RequestListener ofPfkey) {
        netlink.onRequest(ofNetlink);
        pfkey.onRequest(ofPfkey);
    }

    /** On the control thread, until {@link #stop}. */
    public void serve() {
        loop.run(this);
    }

    /** On a thread of its own, which may be slow, until {@link #stop}. */
    public void serveUnprivileged() {
        guestLoop.run(new GuestPace(clock));
    }

    /** Any thread: ends both. */
    public void stop() {
        loop.stop();
        guestLoop.stop();
    }

    @Override
    public void drainEvents() {
        engine.drainEvents();
    }

    @Override
    public void runTimers() {
        batch.begin();
        try {
            engine.runTimers();
        } finally {
            batch.end();
        }
        if (registry.nextLookNs() <= clock.nowNs()) {
            registry.look();
        }
        if (clock.nowNs() - upkeepNs >= 0) {
            upkeepNs = clock.nowNs() + UPKEEP_NS;
            log.flush();
            everyFewSeconds.run();
        }
        afterEachRound.run();
    }

    @Override
    public long nextDeadlineNs() {
        long clientsNs = Math.min(engine.nextDeadlineNs(), registry.nextLookNs());
        return Math.min(Math.min(upkeepNs, deadlineNs.getAsLong()), clientsNs);
    }
}
