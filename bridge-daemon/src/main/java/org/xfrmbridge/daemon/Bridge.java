package org.xfrmbridge.daemon;

import com.google.common.util.concurrent.Uninterruptibles;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.xfrmbridge.daemon.attach.StackPlan;
import org.xfrmbridge.daemon.attach.StackUnderlay;
import org.xfrmbridge.daemon.attach.Underlay;
import org.xfrmbridge.daemon.attach.WirePlan;
import org.xfrmbridge.daemon.control.BatchClock;
import org.xfrmbridge.daemon.control.ControlLoop;
import org.xfrmbridge.daemon.control.ControlPlane;
import org.xfrmbridge.daemon.control.DropLog;
import org.xfrmbridge.daemon.control.EventChannel;
import org.xfrmbridge.daemon.control.FaultLog;
import org.xfrmbridge.daemon.control.Statistics;
import org.xfrmbridge.daemon.figures.FiguresSource;
import org.xfrmbridge.daemon.figures.FlowRates;
import org.xfrmbridge.daemon.figures.LatestFigures;
import org.xfrmbridge.daemon.flight.FlightEvents;
import org.xfrmbridge.daemon.host.KernelNetwork;
import org.xfrmbridge.daemon.host.StackNetwork;
import org.xfrmbridge.daemon.host.WireNetwork;
import org.xfrmbridge.daemon.journal.LostStatesReader;
import org.xfrmbridge.daemon.journal.PolicyJournal;
import org.xfrmbridge.daemon.journal.PolicyRestore;
import org.xfrmbridge.daemon.journal.Protection;
import org.xfrmbridge.daemon.journal.StateJournal;
import org.xfrmbridge.daemon.os.NotifySocket;
import org.xfrmbridge.daemon.os.OsException;
import org.xfrmbridge.daemon.os.SystemClock;
import org.xfrmbridge.daemon.packets.PacketQueries;
import org.xfrmbridge.daemon.port.SleepingPort;
import org.xfrmbridge.daemon.status.Place;
import org.xfrmbridge.daemon.status.Status;
import org.xfrmbridge.daemon.status.StatusText;
import org.xfrmbridge.daemon.web.BridgeMetrics;
import org.xfrmbridge.daemon.web.WebServer;
import org.xfrmbridge.datapath.DutyCycle;
import org.xfrmbridge.datapath.FlowQuestion;
import org.xfrmbridge.datapath.Outbound;
import org.xfrmbridge.datapath.PathContext;
import org.xfrmbridge.datapath.PathContext.Placement;
import org.xfrmbridge.db.Databases;
import org.xfrmbridge.explain.Explainer;
import org.xfrmbridge.io.ClientLoad;
import org.xfrmbridge.io.PacketPort;
import org.xfrmbridge.km.XfrmEngine;
import org.xfrmbridge.km.XfrmService;
import org.xfrmbridge.netlink.msg.XfrmMessage;
import org.xfrmbridge.pfkey.sadb.SadbType;
import org.xfrmbridge.stack.XfrmStack;
import org.xfrmbridge.time.Clock;
import org.xfrmbridge.xfrm.Direction;

/**
 * The running program: the place where it is put together. In the order in which it is made: what it stands on
 * ({@link Underlay}), the databases with the policies of a bridge that ended, the engine with the datapath
 * ({@link XfrmStack}), the journals, the sockets of clients ({@link ControlPlane}), and threads: outbound and inbound,
 * as many as there are queues, control, guests for clients without rights, and {@link MisledDaemons}. In the host's
 * stack there is more ({@link InStack}), and another thread for what came in the clear. {@link #start} and
 * {@link #close} are called by one thread each.
 */
public final class Bridge implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Bridge.class);
    private static final int PATIENCE_SECONDS = 5;
    private static final ThreadFactory JOURNAL_THREADS = Thread.ofPlatform()
            .name("journal")
            .uncaughtExceptionHandler(new FatalErrors())
            .factory();

    private final Path directory;
    private final NotifySocket service;
    private final DirectoryLock lock;
    private final Underlay underlay;
    private final DatapathTrial trial;
    private final KernelNetwork kernel;
    private final XfrmStack stack;
    private final FaultLog faults;
    private final DropLog drops;
    private final FlightEvents flight;
    private final FiguresSource figures;
    private final FlowRates flows;
    private final PacketQueries packets;
    private final ControlLoop loop;
    private final Clock clock = new SystemClock();
    private final PolicyJournal policies;
    private final StateJournal states;
    private final ControlPlane plane;
    private final List<DatapathLoop> outbound = new ArrayList<>();
    private final List<DatapathLoop> inbound = new ArrayList<>();
    /** Where the network's packets come from, for each thread. */
    private final List<PacketPort> networks = new ArrayList<>();

    /** Null in front of an interface. */
    private final InStack inStack;

    /** Null in front of an interface. */
    private final FirewallLook firewallLook;

    private final MisledDaemons misled = new MisledDaemons();
    private final List<Thread> threads = new ArrayList<>();

    /** The same, with nobody who is told how it is. */
    public static Bridge start(BridgeOptions options) throws IOException {
        return start(options, NotifySocket.NOBODY);
    }

    /**
     * Attaches and serves; when it returns, clients and packets are welcome.
     *
     * @param service is told every ten seconds that the control thread lives, and how the bridge is
     */
    public static Bridge start(BridgeOptions options, NotifySocket service) throws IOException {
        DirectoryLock lock = DirectoryLock.of(options.directory(), "end it, or choose another directory with --dir");
        Underlay underlay = null;
        boolean left = false;
        DatapathTrial trial =
                DatapathTrial.begin(options.plan() instanceof StackPlan ? Placement.IN_STACK : Placement.IN_WIRE);
        try {
            left = Underlay.isLeft(options.directory());
            if (!left) {
                // Policies without an attachment are of a kernel or a namespace that is gone: a bridge killed from here
                // on must not leave them.
                forget(options.directory());
            }
            underlay = Underlay.attach(options.plan(), options.directory());
            Bridge bridge = new Bridge(options, service, lock, underlay, left, trial);
            trial.awaitFirst();
            trial.goOn();
            return bridge;
        } catch (IOException | RuntimeException e) {
            trial.end();
            if (underlay != null) {
                underlay.giveUp(left);
            }
            lock.giveUp();
            throw e;
        }
    }

    private static void forget(Path directory) throws IOException {
        PolicyJournal.delete(directory);
        StateJournal.delete(directory);
    }

    /**
     * What was opened.
     *
     * @param done what is as before again, for people
     * @param ended what protected until then
     */
    public record Detached(String done, Protection ended) {}

    /** Undoes what a bridge left that ended or was killed; null if there is nothing to undo. */
    public static Detached detach(Path directory) throws IOException {
        if (!Files.isDirectory(directory)) {
            return null;
        }
        try (DirectoryLock _ = DirectoryLock.of(directory, "end it (SIGTERM; SIGKILL if it hangs), then detach")) {
            Protection left = PolicyRestore.protection(directory);
            String restored = Underlay.detach(directory);
            forget(directory);
            return restored == null ? null : new Detached(restored, left);
        }
    }

    /**
     * What {@link #detach} would end, also of a bridge that runs; null if nothing of a bridge is there. Changes
     * nothing.
     */
    public static Protection protection(Path directory) throws IOException {
        return Underlay.left(directory) == null ? null : PolicyRestore.protection(directory);
    }

    /** @param left whether a bridge has left an attachment here, and its policies */
    private Bridge(
            BridgeOptions options,
            NotifySocket service,
            DirectoryLock lock,
            Underlay underlay,
            boolean left,
            DatapathTrial trial)
            throws IOException {
        this.directory = options.directory();
        this.service = service;
        this.lock = lock;
        this.underlay = underlay;
        this.trial = trial;
        long startEpochSeconds = clock.epochSeconds();
        List<PacketPort> hosts = underlay.hosts();
        List<OutboundBarrier.Queue> queues = new ArrayList<>();
        for (int i = 0; i < hosts.size(); i++) {
            int queue = i;
            outbound.add(new DatapathLoop());
            inbound.add(new DatapathLoop());
            networks.add(i == 0 ? underlay.network() : new SleepingPort(underlay.network()));
            queues.add(new OutboundBarrier.Queue(
                    outbound.get(i),
                    () -> underlay.isHostWaiting(queue),
                    () -> outbound(queue).looks(),
                    () -> outbound(queue).isHandedOver()));
        }
        if (hosts.size() < options.plan().queues()) {
            LOG.warn("{} was made with one queue and keeps it until \"xfrm-bridge detach\"", underlay.label());
        }

        OutboundBarrier barrier = new OutboundBarrier(queues, clock);
        Databases databases = new Databases(barrier);
        if (left) {
            PolicyRestore.run(directory, databases, clock);
        }

        loop = new ControlLoop(clock);
        BatchClock controlClock = new BatchClock(clock);
        kernel = options.plan() instanceof WirePlan plan
                ? new WireNetwork(underlay.hostIndex(), plan.names().original())
                : new StackNetwork(((StackUnderlay) underlay)::takesOpened);
        stack = new XfrmStack(
                XfrmEngine.builder(databases, controlClock)
                        .wakeup(loop::wakeUp)
                        .acquires(options.acquires())
                        .reserve(HeapReserve.ofEntries(options, databases::size, clock)::hasRoom)
                        .lostStates(left ? LostStatesReader.read(directory) : List.of()),
                PathContext.builder(databases, kernel, clock)
                        .placement(underlay.placement())
                        .clampMss(options.plan() instanceof StackPlan plan && plan.clampsMss())
                        .ifindex(underlay.hostIndex())
                        .flows(options.flows())
                        .memory(HeapReserve.ofThreads(clock), HeapReserve.ofThreads(clock)),
                hosts,
                networks);
        XfrmEngine engine = stack.engine();
        faults = new FaultLog(stack.stats());
        drops = new DropLog(stack.stats(), clock);
        flight = new FlightEvents(stack.stats(), clock);
        engine.listen(flight);
        firewallLook = options.plan() instanceof StackPlan plan
                ? new FirewallLook(plan.names().tap())
                : null;
        inStack = underlay instanceof StackUnderlay place ? new InStack(place, databases, stack, clock) : null;

        FlowQuestion question = stack.question();
        packets = new PacketQueries(
                stack.packets(), question, new Explainer(databases, engine.removedStates(), question, clock), clock);
        flows = new FlowRates(stack.packets(), clock);
        figures = new FiguresSource(underlay.label(), engine, stack.stats(), this::clients, clock);
        policies = PolicyJournal.begin(directory, engine, JOURNAL_THREADS);
        states = StateJournal.begin(directory, engine, controlClock, JOURNAL_THREADS);
        ControlPlane.Builder control = ControlPlane.builder(loop, controlClock, engine, databases.sockets())
                .batch(controlClock.and(barrier))
                .channel(new EventChannel(kernel, "routes"))
                .afterEachRound(this::flush)
                .everyFewSeconds(this::upkeep)
                .query("status", request -> answerStatus(request, startEpochSeconds))
                .query("why", packets::why)
                .query("trace", packets::trace)
                .query("drops", request -> packets.drops())
                .query("flows", request -> flows.toJson())
                .query("figures", request -> figures.take().toJson());
        underlay.eventSources().forEach((what, source) -> control.channel(new EventChannel(source, what)));
        if (inStack != null) {
            control.deadlineNs(inStack::nextDeadlineNs);
        }
        plane = control.listen(
                directory,
                options.privilegedGid(),
                new Statistics(underlay.label(), underlay::superFrames, engine, stack.stats(), clock));

        if (inStack != null) {
            inStack.start();
            threads.add(start("clear", inStack::judge));
        }
        for (int i = 0; i < hosts.size(); i++) {
            threads.add(
                    start("outbound", turns(outbound.get(i), stack.outbound().get(i), "out")));
            threads.add(start("inbound", turns(inbound.get(i), stack.inbound().get(i), "in")));
        }
        threads.add(start("control", plane::serve));
        threads.add(start("guests", plane::serveUnprivileged));
        threads.add(start("daemons", () -> misled.watch(kernel::lookAtSockets)));
    }

    private static Runnable turns(DatapathLoop loop, DutyCycle cycle, String direction) {
        Runnable turns = loop.begin(cycle::await, FlightEvents.recorded(direction, cycle::doWork));
        return () -> {
            cycle.prepare();
            turns.run();
        };
    }

    private Outbound outbound(int queue) {
        return stack.outbound().get(queue);
    }

    /** Control thread. */
    private Map<String, ClientLoad> clients() {
        return plane.clients();
    }

    /** Answers by HTTP from here on, until the bridge ends. */
    public void show(WebServer server) {
        LatestFigures latest = new LatestFigures(() -> onControlThread(figures::take), clock);
        BridgeMetrics metrics = new BridgeMetrics(latest, clock);
        loop.execute(() -> {
            stack.engine().listen(metrics);
            plane.onRequest(metrics.requests(XfrmMessage::name), metrics.requests(SadbType::name));
        });
        server.start(latest, metrics, request -> onControlThread(() -> answerOfPackets(request)));
    }

    /** Control thread. */
    private String answerOfPackets(String request) {
        return switch (request) {
            case "drops" -> packets.drops();
            case "flows" -> flows.toJson();
            default -> packets.why(request);
        };
    }

    /** Any other thread: waits for the answer. */
    private <T> T onControlThread(Callable<T> question) throws IOException {
        FutureTask<T> task = new FutureTask<>(question);
        try {
            loop.execute(task);
            return task.get(PATIENCE_SECONDS, TimeUnit.SECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("the bridge ends", e);
        } catch (ExecutionException | TimeoutException | RejectedExecutionException e) {
            throw new IOException("the control thread has no time to answer", e);
        }
    }

    /** How a bridge is that ended here. */
    public static Status statusOfEnded(Path directory) throws IOException {
        Place place = Underlay.left(directory);
        Protection protection = PolicyRestore.protection(directory);
        boolean closes = place != null && (place.takesAll() || protection.isAny());
        List<String> closed = closes ? List.of(protection + ": " + place.closedWhenEnded()) : List.of();
        return Status.ended(directory.toString(), place, closed);
    }

    /** Control thread. */
    private String answerStatus(String request, long startEpochSeconds) {
        try {
            Status status = status(startEpochSeconds);
            return request.equals("status") ? status.toJson() : answerWhole(request, status);
        } catch (OsException e) {
            LOG.warn("how the bridge is could not be asked of the kernel: {}", e.getMessage());
            return "";
        }
    }

    /**
     * All that {@code xfrm-bridge status} shows, for who is root here: behind a line with its exit code, what it was
     * started at, and the network namespace. Empty if that has to be found out first.
     */
    private String answerWhole(String request, Status status) {
        Place place = status.place();
        FirewallLook.Remark firewall = place.takesAll() ? new FirewallLook.Remark(0, null) : firewallLook.now();
        if (firewall == null) {
            return "";
        }
        Status whole = status.withFirewall(firewall.text());
        return "%d %d %s%n%s"
                .formatted(
                        whole.exitCode(),
                        whole.sinceEpochSeconds(),
                        Long.toUnsignedString(place.namespaceCookie()),
                        request.equals("status json") ? whole.toJson() : new StatusText(whole, null));
    }

    private Status status(long startEpochSeconds) throws OsException {
        XfrmService service = stack.engine();
        XfrmService.PolicyCounts counts = service.policyCounts();
        Map<String, Integer> policies = new LinkedHashMap<>();
        for (Direction direction : Direction.values()) {
            policies.put(direction.name().toLowerCase(Locale.ROOT), counts.global()[direction.number()]);
        }
        policies.put("of_sockets", Arrays.stream(counts.socket()).sum());
        return new Status(
                true,
                directory.toString(),
                startEpochSeconds,
                underlay.status(),
                service.stateCounts().states(),
                policies,
                inStack == null ? List.of() : inStack.wideScopes(),
                inStack == null ? List.of() : inStack.closed(),
                misled.sentences(),
                PlainLineStream.warningsOnStandardError(),
                null);
    }

    private static Thread start(String name, Runnable work) {
        return Thread.ofPlatform()
                .name(name)
                .uncaughtExceptionHandler(new FatalErrors())
                .start(work);
    }

    /** Control thread. */
    private void flush() {
        if (inStack != null) {
            inStack.afterEachRound();
        }
        policies.flush();
        states.flush();
    }

    /** Control thread. */
    private void upkeep() {
        faults.flush();
        packets.upkeep();
        long inTheClear = inStack == null ? 0 : inStack.missed();
        stack.stats()
                .setMissed(
                        underlay.hosts().getFirst().missed(), underlay.network().missed() + inTheClear);
        flows.endForgotten();
        drops.flush();
        flight.upkeep();
        policies.upkeep();
        states.upkeep();
        underlay.keepClosed();
        try {
            kernel.refresh();
        } catch (OsException e) {
            LOG.warn("next hops could not be checked: {}", e.getMessage());
        }
        service.offer("WATCHDOG=1\nSTATUS=" + summary());
    }

    /** Of {@link #status}, on one line. Control thread. */
    private String summary() {
        XfrmService.PolicyCounts counts = stack.engine().policyCounts();
        int policies = Arrays.stream(counts.global()).sum()
                + Arrays.stream(counts.socket()).sum();
        String closed =
                inStack == null || inStack.closed().isEmpty() ? "" : ", CLOSED: " + String.join("; ", inStack.closed());
        return "%s, %d SAs, %d policies%s"
                .formatted(underlay.label(), stack.engine().stateCounts().states(), policies, closed);
    }

    /**
     * Ends service. The interface is given back if nothing protects; else all stays as it is, closed, as after a kill.
     */
    @Override
    public void close() throws IOException {
        plane.stop();
        trial.end();
        misled.end();
        if (inStack != null) {
            inStack.end();
        }
        outbound.forEach(DatapathLoop::end);
        inbound.forEach(DatapathLoop::end);
        underlay.hosts().forEach(PacketPort::close);
        networks.forEach(PacketPort::close);
        threads.forEach(Uninterruptibles::joinUninterruptibly);
        try (lock) {
            policies.leave();
            states.leave();
            Protection protection = Protection.of(stack.engine());
            if (protection.isAny()) {
                stayClosed(protection);
            } else {
                underlay.close();
                forget(directory);
            }
        }
    }

    private void stayClosed(Protection protection) {
        underlay.leave();
        LOG.warn("the bridge leaves {} behind: {}", protection, underlay.whatStays());
    }
}
