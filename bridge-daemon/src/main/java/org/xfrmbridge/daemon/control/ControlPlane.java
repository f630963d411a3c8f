package org.xfrmbridge.daemon.control;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.xfrmbridge.daemon.control.DatagramChannel.Taking;
import org.xfrmbridge.daemon.host.KernelNetwork;
import org.xfrmbridge.daemon.journal.PolicyJournal;
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

/** The control loop with everything it serves: the three sockets of a directory, the engine, the kernel's routing events. */
public final class ControlPlane implements ControlLoop.Work {
    private static final Logger LOG = LoggerFactory.getLogger(ControlPlane.class);
    private static final long REFRESH_NS = TimeUnit.SECONDS.toNanos(10);

    /** Port ids of clients without a name of ours: as of sockets never bound, with the top bit set. */
    private static final int UNNAMED_PORT_ID = 0x8000_0000;

    private final XfrmEngine engine;
    private final KernelNetwork network;
    private final Clock clock;
    private final ControlLoop loop;
    private final EventLog log;
    private final NetlinkKeyManager netlink = new NetlinkKeyManager();
    private final PfkeyKeyManager pfkey = new PfkeyKeyManager();
    private final int privilegedGid;
    private SocketRegistry registry;
    private PolicyJournal journal;
    private FaultLog faults;
    private Occasion occasion = Occasion.NONE;
    private long refreshNs;

    /** @param privilegedGid whose members may change anything, as root may; negative for nobody */
    public ControlPlane(XfrmEngine engine, KernelNetwork network, Clock clock, ControlLoop loop, int privilegedGid)
            throws OsException {
        this.engine = engine;
        this.network = network;
        this.clock = clock;
        this.loop = loop;
        this.log = new EventLog(clock);
        this.privilegedGid = privilegedGid;
        this.refreshNs = clock.nowNs() + REFRESH_NS;
        engine.register(netlink);
        engine.register(pfkey);
        engine.register(log);
        loop.setWork(this);
        if (network != null) {
            loop.add(new RouteChannel(network));
        }
    }

    /** Before the loop runs: what keeps the policies over a crash. */
    public void setJournal(PolicyJournal policies) {
        journal = policies;
    }

    /** Before the loop runs: what tells of faults on packets' paths. */
    public void setFaultLog(FaultLog log) {
        faults = log;
    }

    /** Before the loop runs: what is told of each datagram of requests, and of each run of the timers. */
    public void setOccasion(Occasion told) {
        occasion = told;
    }

    /** Opens the three sockets. The caller holds the directory's lock. */
    public void listen(Path directory, SocketPolicies sockets, Statistics statistics) throws IOException {
        Sysctls sysctls = new Sysctls(engine);
        registry = new SocketRegistry(sockets, clock);
        loop.add(new SocketEndChannel(registry));
        SocketRegistration.PfkeyPolicies policies = (option, family) -> pfkey.socketPolicy(option, family, engine);
        listen(directory.resolve("control.sock"), UnixServer.Type.STREAM, (connection, peer) -> new TextChannel(
                connection,
                new TextConversation(statistics, pfkey, sysctls, new SocketRegistration(sockets, registry, policies, clock, peer), peer)));
        listen(directory.resolve("pfkey.sock"), UnixServer.Type.SEQPACKET, (connection, peer) -> pfkeyClient(connection, peer, sockets));
        // Last: the preload library takes this one for the sign that a bridge is there.
        listen(directory.resolve("netlink.sock"), UnixServer.Type.SEQPACKET, this::netlinkClient);
    }

    private void listen(Path path, UnixServer.Type type, Listener.Reception reception) throws IOException {
        UnixServer server = UnixServer.listen(path, type);
        if (privilegedGid >= 0) {
            // By this the preload library tells who is privileged.
            Files.setAttribute(path, "unix:gid", privilegedGid);
        }
        loop.add(new Listener(server, loop, credentials -> Peer.of(credentials, privilegedGid), reception));
    }

    private Channel netlinkClient(UnixConnection connection, Peer peer) throws OsException {
        int portId = PortName.portId(connection.peerName(), UNNAMED_PORT_ID | peer.pid());
        DatagramChannel channel = new DatagramChannel(connection, Taking.FIRST, occasion, loop.talkers(), peer + " netlink");
        channel.start(new NetlinkSession(engine, netlink, channel, new NetlinkCaller(portId, peer.privileged())));
        return channel;
    }

    private Channel pfkeyClient(UnixConnection connection, Peer peer, SocketPolicies sockets) throws OsException {
        DatagramChannel channel = new DatagramChannel(connection, Taking.LAST, occasion, loop.talkers(), peer + " pfkey");
        PfkeyCaller client = new PfkeyCaller(connection.fd(), peer.uid(), peer.privileged());
        PfkeySession session = new PfkeySession(engine, pfkey, channel, client);
        channel.start(new PfkeyChannelSession(session, sockets, peer));
        return channel;
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
        if (journal != null) {
            journal.flush();
        }
    }

    private void refresh() {
        refreshNs = clock.nowNs() + REFRESH_NS;
        log.flush();
        if (faults != null) {
            faults.flush();
        }
        if (journal != null) {
            journal.upkeep();
        }
        try {
            network.refresh();
        } catch (OsException e) {
            LOG.warn("next hops could not be checked: {}", e.getMessage());
        }
    }

    @Override
    public long nextDeadlineNs() {
        long deadlineNs = registry == null ? engine.nextDeadlineNs() : Math.min(engine.nextDeadlineNs(), registry.nextLookNs());
        return network == null ? deadlineNs : Math.min(deadlineNs, refreshNs);
    }
}
