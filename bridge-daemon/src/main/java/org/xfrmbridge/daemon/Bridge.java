package org.xfrmbridge.daemon;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.util.concurrent.ThreadFactory;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.xfrmbridge.daemon.attach.Attachment;
import org.xfrmbridge.daemon.control.BatchClock;
import org.xfrmbridge.daemon.control.ControlLoop;
import org.xfrmbridge.daemon.control.ControlPlane;
import org.xfrmbridge.daemon.control.FaultLog;
import org.xfrmbridge.daemon.control.Statistics;
import org.xfrmbridge.daemon.host.KernelNetwork;
import org.xfrmbridge.daemon.journal.PolicyJournal;
import org.xfrmbridge.daemon.journal.PolicyReplay;
import org.xfrmbridge.daemon.journal.Protection;
import org.xfrmbridge.daemon.journal.ReplayClock;
import org.xfrmbridge.daemon.journal.StateJournal;
import org.xfrmbridge.daemon.journal.StateReplay;
import org.xfrmbridge.daemon.os.BridgeSocket;
import org.xfrmbridge.daemon.os.CurrentProcess;
import org.xfrmbridge.daemon.os.Descriptor;
import org.xfrmbridge.daemon.port.TapPort;
import org.xfrmbridge.datapath.Inbound;
import org.xfrmbridge.datapath.KeepaliveOutput;
import org.xfrmbridge.datapath.Outbound;
import org.xfrmbridge.datapath.PathContext;
import org.xfrmbridge.datapath.PathMtu;
import org.xfrmbridge.datapath.XfrmStats;
import org.xfrmbridge.db.Sad;
import org.xfrmbridge.db.SocketPolicies;
import org.xfrmbridge.db.Spd;
import org.xfrmbridge.km.MemoryReserve;
import org.xfrmbridge.km.XfrmEngine;
import org.xfrmbridge.time.Clock;

/**
 * The running program, wired: databases, control thread and that of guests, two datapath threads, and the attachment
 * they serve. {@link #start} and {@link #close} are called by one thread each.
 */
public final class Bridge implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Bridge.class);
    private static final ThreadFactory JOURNAL_THREADS = Thread.ofPlatform()
            .name("journal")
            .uncaughtExceptionHandler(new FatalErrors())
            .factory();

    private final Descriptor lock;
    private final Attachment attachment;
    private final XfrmEngine engine;
    private final PolicyJournal policies;
    private final StateJournal states;
    private final ControlLoop loop;
    private final ControlLoop guestLoop;
    private final TapPort host;
    private final TapPort network;
    private final Thread control;
    private final Thread guests;
    private final DatapathThread outbound;
    private final DatapathThread inbound;

    /** Attaches and serves; when it returns, clients and packets are welcome. */
    public static Bridge start(BridgeOptions options) throws IOException {
        Descriptor lock = lock(options.directory());
        Attachment attachment = null;
        boolean left = false;
        try {
            left = Attachment.isLeft(options.directory());
            if (!left) {
                // Policies without an attachment are of a kernel or a namespace that is gone: a bridge killed from here
                // on must not leave them.
                forget(options.directory());
            }
            attachment = Attachment.attach(options.names(), options.directory());
            return new Bridge(options, lock, attachment, left);
        } catch (IOException | RuntimeException e) {
            if (attachment != null) {
                attachment.giveUp(left);
            }
            lock.close();
            throw e;
        }
    }

    private static void forget(Path directory) throws IOException {
        PolicyJournal.delete(directory);
        StateJournal.delete(directory);
    }

    /** Makes the directory and keeps others out of it until the descriptor is closed. */
    static Descriptor lock(Path directory) throws IOException {
        if (!BridgeSocket.fitIn(directory)) {
            throw new IOException(
                    "the path %s is too long for sockets: choose a shorter one with --dir".formatted(directory));
        }
        Descriptor lock;
        try {
            Files.createDirectories(directory);
            lock = Descriptor.lockFile(directory.resolve("lock").toString());
        } catch (IOException e) {
            String remedy = CurrentProcess.effectiveUserId() == 0 ? "" : "run it as root (sudo), or ";
            throw new IOException(
                    "no files can be made in %s: %schoose another directory with --dir".formatted(directory, remedy),
                    e);
        }
        if (lock == null) {
            throw new IOException("another bridge is running in %s: end it, or choose another directory with --dir"
                    .formatted(directory));
        }
        return lock;
    }

    /**
     * What was opened.
     *
     * @param original the interface that has its place back
     * @param ended what protected until then
     */
    public record Detached(String original, Protection ended) {}

    /** Undoes what a bridge left that ended or was killed; null if there is nothing to undo. */
    public static Detached detach(Path directory) throws IOException {
        if (!Files.isDirectory(directory)) {
            return null;
        }
        try (Descriptor held = lock(directory)) {
            Protection left = held == null ? null : PolicyReplay.protection(directory);
            String restored = held == null ? null : Attachment.detach(directory);
            forget(directory);
            return restored == null ? null : new Detached(restored, left);
        }
    }

    /** @param left whether a bridge has left an attachment here, and its policies */
    private Bridge(BridgeOptions options, Descriptor lock, Attachment attachment, boolean left) throws IOException {
        this.lock = lock;
        this.attachment = attachment;
        Clock clock = new SystemClock();
        Spd spd = new Spd();
        Sad sad = new Sad();
        SocketPolicies sockets = new SocketPolicies(spd);
        XfrmStats stats = new XfrmStats();
        int hostIndex = attachment.hostLink().index();
        KernelNetwork kernel = new KernelNetwork(hostIndex, options.names().original());
        loop = new ControlLoop(clock);
        BatchClock controlClock = new BatchClock(clock);
        ReplayClock engineClock = new ReplayClock(controlClock);
        engine = new XfrmEngine(sad, spd, engineClock, new SecureRandom(), loop::wakeUp);
        engine.limitAcquires(options.acquires());
        if (left) {
            PolicyReplay.run(options.directory(), engine, engineClock);
        }
        // Not before: a policy that was there must not be missing now.
        long packetBytes = HeapSizes.packetBytes(options.flows(), options.acquires());
        MemoryReserve reserve = new HeapReserve(
                Heap.ofProcess(), packetBytes, () -> sad.size() + spd.size(), "SAs and policies are taken", clock);
        engine.setMemoryReserve(reserve);
        policies = PolicyJournal.begin(options.directory(), engine, JOURNAL_THREADS);
        engine.setPolicyGate(policies);
        if (left) {
            engine.setLostStates(StateReplay.read(options.directory()));
        }
        states = StateJournal.begin(options.directory(), engine, controlClock, JOURNAL_THREADS);
        ControlPlane plane = new ControlPlane(engine, kernel, controlClock, loop, options.privilegedGid());
        plane.setJournals(policies, states);
        plane.setFaultLog(new FaultLog(stats));
        plane.setUpkeep(attachment::keepClosed);
        guestLoop = plane.guestLoop();
        String place = options.names().original() + " (" + options.names().host() + ')';
        plane.listen(options.directory(), sockets, new Statistics(place, engine, stats, clock));

        host = new TapPort(attachment.hostTap());
        network = new TapPort(attachment.networkTap());
        engine.setKeepaliveSender(new KeepaliveOutput(kernel, network)::send);
        control = new Thread(loop, "control");
        guests = new Thread(guestLoop, "guests");
        PathContext context = new PathContext(
                sad,
                spd,
                sockets,
                kernel,
                engine,
                new PathMtu(),
                clock,
                hostIndex,
                options.flows(),
                HeapReserve.ofPackets(Heap.ofProcess(), clock)::hasRoom,
                HeapReserve.ofPackets(Heap.ofProcess(), clock)::hasRoom);
        Outbound outward = new Outbound(context, stats, host, network);
        Inbound inward = new Inbound(context, stats, network, host);
        engine.setWiper(state -> {
            outward.forget(state);
            inward.forget(state);
        });
        DatapathThread out = new DatapathThread("outbound", host, outward::doWork);
        OutboundSettling settling = new OutboundSettling(host::isReadable, out, clock);
        spd.setBeforeRemoval(settling);
        plane.setOccasion(controlClock.and(settling));
        outbound = out;
        inbound = new DatapathThread("inbound", network, inward::doWork);
        for (Thread thread : new Thread[] {outbound, inbound, control, guests}) {
            thread.setUncaughtExceptionHandler(new FatalErrors());
            thread.start();
        }
    }

    /**
     * Ends service. The interface is given back if nothing protects; else all stays in its place, closed, as after a
     * kill.
     */
    @Override
    public void close() throws IOException {
        loop.stop();
        guestLoop.stop();
        outbound.end();
        inbound.end();
        host.close();
        network.close();
        try {
            control.join();
            guests.join();
            outbound.join();
            inbound.join();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        try (lock) {
            policies.leave();
            states.leave();
            Protection protection = Protection.of(engine);
            if (protection.isAny()) {
                stayClosed(protection);
            } else {
                attachment.close();
                forget(attachment.directory());
            }
        }
    }

    private void stayClosed(Protection protection) throws IOException {
        attachment.leave();
        LOG.warn(
                "{} outlive the bridge: nothing passes {} until it runs again; \"xfrm-bridge detach\" ends them and gives {} its place back",
                protection,
                attachment.names().host(),
                attachment.names().original());
    }
}
