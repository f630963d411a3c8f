package org.xfrmbridge.daemon.control;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.xfrmbridge.daemon.control.DatagramChannel.Taking;
import org.xfrmbridge.daemon.host.KernelNetwork;
import org.xfrmbridge.daemon.journal.PolicyJournal;
import org.xfrmbridge.daemon.journal.StateJournal;
import org.xfrmbridge.daemon.os.BridgeSocket;
import org.xfrmbridge.daemon.os.OsException;
import org.xfrmbridge.daemon.os.UnixConnection;
import org.xfrmbridge.daemon.os.UnixServer;
import org.xfrmbridge.db.SocketPolicies;
import org.xfrmbridge.km.XfrmEngine;
import org.xfrmbridge.netlink.server.NetlinkCaller;
import org.xfrmbridge.netlink.server.NetlinkKeyManager;
import org.xfrmbridge.netlink.server.NetlinkSession;
import org.xfrmbridge.pfkey.server.PfkeyCaller;
import org.xfrmbridge.pfkey.server.PfkeyKeyManager;
import org.xfrmbridge.pfkey.server.PfkeySession;
import org.xfrmbridge.time.Clock;

/**
 * The control loop with everything it serves: the sockets of a directory, the engine, the kernel's routing events.
 * Clients without rights are served by a second loop, which runs on a thread of its own and touches none of that.
 */
public final class ControlPlane implements ControlLoop.Work {
    private static final Logger LOG = LoggerFactory.getLogger(ControlPlane.class);
    private static final long REFRESH_NS = TimeUnit.SECONDS.toNanos(10);

    /** Port ids of clients without a name of ours: as of sockets never bound, with the top bit set. */
    private static final int UNNAMED_PORT_ID = 0x8000_0000;

    private static final int FOR_ROOT = 0600;
    private static final int FOR_GROUP = 0660;

    private final XfrmEngine engine;
    private final KernelNetwork network;
    private final Clock clock;
    private final ControlLoop loop;
    private final ControlLoop guestLoop;
    private final EventLog log;
    private final NetlinkKeyManager netlink = new NetlinkKeyManager();
    private final PfkeyKeyManager pfkey = new PfkeyKeyManager();
    private final Sysctls sysctls;
    private final Access access;
    private final int privilegedGid;
    private SocketRegistry registry;
    private PolicyJournal policies;
    private StateJournal states;
    private FaultLog faults;
    private ChangeBatch occasion = ChangeBatch.NONE;
    private Runnable upkeep = () -> {};
    private long refreshNs;

    /** @param privilegedGid whose members may change anything, as root may; negative for nobody */
    public ControlPlane(XfrmEngine engine, KernelNetwork network, Clock clock, ControlLoop loop, int privilegedGid)
            throws OsException {
        this.engine = engine;
        this.network = network;
        this.clock = clock;
        this.loop = loop;
        this.guestLoop = new ControlLoop(clock);
        this.log = new EventLog(clock);
        this.sysctls = new Sysctls(engine);
        this.access = new Access(privilegedGid);
        this.privilegedGid = privilegedGid;
        this.refreshNs = clock.nowNs() + REFRESH_NS;
        engine.register(netlink);
        engine.register(pfkey);
        engine.listen(log);
        loop.setWork(this);
        guestLoop.setWork(new DutyCycle(clock));
        if (network != null) {
            loop.add(new RouteChannel(network));
        }
    }

    /** Before the loop runs: what keeps the policies over an end, and the names of States. */
    public void setJournals(PolicyJournal policyJournal, StateJournal stateJournal) {
        policies = policyJournal;
        states = stateJournal;
    }

    /** Before the loop runs: what tells of faults on packets' paths. */
    public void setFaultLog(FaultLog log) {
        faults = log;
    }

    /** Before the loop runs: what is told of each datagram of requests, and of each run of the timers. */
    public void setOccasion(ChangeBatch told) {
        occasion = told;
    }

    /** Before the loop runs: what else is to be done every few seconds. */
    public void setUpkeep(Runnable done) {
        upkeep = done;
    }

    /** What serves clients without rights, on a thread of its own: it may be slow. Ends when it is stopped. */
    public ControlLoop guestLoop() {
        return guestLoop;
    }

    /** Opens the sockets. The caller holds the directory's lock. */
    public void listen(Path directory, SocketPolicies sockets, Statistics statistics) throws IOException {
        registry = new SocketRegistry(sockets, new SocketJournal(directory), clock);
        if (registry.ends().fd() >= 0) {
            loop.add(new SocketEndChannel(registry));
        } else {
            LOG.warn(
                    "the kernel does not tell of its sockets (sock_diag): policies of sockets hold for an hour after their close()");
        }
        registry.resume(registration(Peer.SELF, sockets));
        PublicQueries inquiries = PublicQueries.of(statistics, pfkey, sysctls);
        PublicQueries fromGuests = PublicQueries.through(loop, inquiries);
        UnprivilegedConnections guests = new UnprivilegedConnections();
        listen(
                directory,
                BridgeSocket.CONTROL,
                UnixServer.Type.STREAM,
                guests,
                (connection, peer) ->
                        textClient(connection, peer, peer.privileged() ? inquiries : fromGuests, sockets));
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

    private Channel textClient(UnixConnection connection, Peer peer, PublicQueries inquiries, SocketPolicies sockets) {
        return new TextChannel(connection, peer, new TextConversation(inquiries, sysctls, registration(peer, sockets)));
    }

    private SocketRegistration registration(Peer peer, SocketPolicies sockets) {
        SocketRegistration.PfkeyPolicies ofPfkey = (option, family) -> pfkey.socketPolicy(option, family, engine);
        return new SocketRegistration(sockets, registry, ofPfkey, clock, peer);
    }

    /** Strangers are refused, each time, and hear nothing: of the engine they reach nothing. */
    private Channel netlinkClient(UnixConnection connection, Peer peer, NetlinkKeyManager keyManager)
            throws OsException {
        DatagramChannel channel = channel(connection, peer.privileged() ? Taking.FIRST : Taking.LAST, peer, "netlink");
        start(channel, peer, () -> {
            int portId = PortName.portId(connection.peerName(), UNNAMED_PORT_ID | peer.pid());
            return new NetlinkSession(engine, keyManager, channel, new NetlinkCaller(portId, peer.privileged()));
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
                ? new DatagramChannel(connection, taking, occasion, loop.talkers(), peer, protocol)
                : new DatagramChannel(connection, taking, ChangeBatch.NONE, guestLoop.talkers(), peer, protocol);
    }

    @Override
    public void drainEvents() {
        engine.drainEvents();
    }

    @Override
    public void runTimers() {
        occasion.begin();
        try {
            engine.runTimers();
        } finally {
            occasion.end();
        }
        if (registry != null && registry.nextLookNs() <= clock.nowNs()) {
            registry.look();
        }
        if (network != null && clock.nowNs() - refreshNs >= 0) {
            refresh();
        }
        if (policies != null) {
            policies.flush();
            states.flush();
        }
    }

    private void refresh() {
        refreshNs = clock.nowNs() + REFRESH_NS;
        log.flush();
        if (faults != null) {
            faults.flush();
        }
        if (policies != null) {
            policies.upkeep();
            states.upkeep();
        }
        upkeep.run();
        try {
            network.refresh();
        } catch (OsException e) {
            LOG.warn("next hops could not be checked: {}", e.getMessage());
        }
    }

    @Override
    public long nextDeadlineNs() {
        long deadlineNs =
                registry == null ? engine.nextDeadlineNs() : Math.min(engine.nextDeadlineNs(), registry.nextLookNs());
        return network == null ? deadlineNs : Math.min(deadlineNs, refreshNs);
    }
}
