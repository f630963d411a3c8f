package org.xfrmbridge.daemon;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
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
import org.xfrmbridge.daemon.journal.StateJournal;
import org.xfrmbridge.daemon.journal.StateReplay;
import org.xfrmbridge.daemon.os.BridgeSocket;
import org.xfrmbridge.daemon.os.CurrentProcess;
import org.xfrmbridge.daemon.os.Descriptor;
import org.xfrmbridge.daemon.port.TapPort;
import org.xfrmbridge.datapath.PathContext;
import org.xfrmbridge.db.Databases;
import org.xfrmbridge.km.XfrmEngine;
import org.xfrmbridge.stack.XfrmStack;
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
    private final DatapathLoop outbound;
    private final DatapathLoop inbound;
    private final Thread outboundThread;
    private final Thread inboundThread;

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
        host = new TapPort(attachment.hostTap());
        network = new TapPort(attachment.networkTap());
        outbound = new DatapathLoop(host);
        inbound = new DatapathLoop(network);
        OutboundSettling settling = new OutboundSettling(host::isReadable, outbound, clock);
        Databases databases = new Databases(settling);
        if (left) {
            PolicyReplay.run(options.directory(), databases, clock);
        }
        loop = new ControlLoop(clock);
        BatchClock controlClock = new BatchClock(clock);
        int hostIndex = attachment.hostLink().index();
        KernelNetwork kernel = new KernelNetwork(hostIndex, options.names().original());
        long packetBytes = HeapSizes.packetBytes(options.flows(), options.acquires());
        XfrmEngine.Builder engineSetup = XfrmEngine.builder(databases, controlClock)
                .wakeup(loop::wakeUp)
                .acquires(options.acquires())
                .reserve(new HeapReserve(
                        Heap.ofProcess(), packetBytes, databases::size, "SAs and policies are taken", clock))
                .lostStates(left ? StateReplay.read(options.directory()) : List.of());
        PathContext.Builder paths = PathContext.builder(databases, kernel, clock)
                .ifindex(hostIndex)
                .flows(options.flows())
                .memory(
                        HeapReserve.ofPackets(Heap.ofProcess(), clock)::hasRoom,
                        HeapReserve.ofPackets(Heap.ofProcess(), clock)::hasRoom);
        XfrmStack stack = new XfrmStack(engineSetup, paths, host, network);
        engine = stack.engine();
        policies = PolicyJournal.begin(options.directory(), engine, JOURNAL_THREADS);
        states = StateJournal.begin(options.directory(), engine, controlClock, JOURNAL_THREADS);
        ControlPlane plane = new ControlPlane(engine, kernel, controlClock, loop, options.privilegedGid());
        plane.setJournals(policies, states);
        plane.setFaultLog(new FaultLog(stack.stats()));
        plane.setUpkeep(attachment::keepClosed);
        guestLoop = plane.guestLoop();
        String place = options.names().original() + " (" + options.names().host() + ')';
        plane.listen(options.directory(), databases.sockets(), new Statistics(place, engine, stack.stats(), clock));

        plane.setOccasion(controlClock.and(settling));
        control = new Thread(loop, "control");
        guests = new Thread(guestLoop, "guests");
        outboundThread = new Thread(() -> outbound.run(stack.outbound()::doWork), "outbound");
        inboundThread = new Thread(() -> inbound.run(stack.inbound()::doWork), "inbound");
        for (Thread thread : new Thread[] {outboundThread, inboundThread, control, guests}) {
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
            outboundThread.join();
            inboundThread.join();
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
