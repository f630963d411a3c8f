package org.xfrmbridge.daemon.attach;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.xfrmbridge.daemon.nft.ClearQueue;
import org.xfrmbridge.daemon.nft.CoveredDevice;
import org.xfrmbridge.daemon.nft.Guard;
import org.xfrmbridge.daemon.nft.OthersChains;
import org.xfrmbridge.daemon.nft.OthersChains.Others;
import org.xfrmbridge.daemon.nft.RulesetWatch;
import org.xfrmbridge.daemon.nft.StackNames;
import org.xfrmbridge.daemon.nft.StackTable;
import org.xfrmbridge.daemon.os.DeviceFeature;
import org.xfrmbridge.daemon.os.EventSource;
import org.xfrmbridge.daemon.os.IpSocket;
import org.xfrmbridge.daemon.os.OsException;
import org.xfrmbridge.daemon.os.SystemClock;
import org.xfrmbridge.daemon.os.TapDevice;
import org.xfrmbridge.daemon.port.IpSocketPort;
import org.xfrmbridge.daemon.port.StackTapPort;
import org.xfrmbridge.daemon.route.Link;
import org.xfrmbridge.daemon.route.Links;
import org.xfrmbridge.daemon.route.RouteSocket;
import org.xfrmbridge.daemon.selection.Selection;
import org.xfrmbridge.daemon.selection.SelectionChange;
import org.xfrmbridge.daemon.selection.SelectionTable;
import org.xfrmbridge.daemon.selection.WideScope;
import org.xfrmbridge.daemon.status.Place;
import org.xfrmbridge.datapath.PathContext.Placement;
import org.xfrmbridge.io.PacketPort;

/**
 * A place in the host's stack. Nothing of the host is moved or changed; what is added has names of the bridge's own
 * ({@link StackNames}), and stays when the process ends: without one that reads them, the TAP and the queue drop.
 *
 * <pre>
 *   host's stack -- rules of nftables mark what policies may mean -- table 58 -- xfrm0 (TAP) -- the datapath
 *                                                                                                   :
 *   network -- whatever interface -- host's stack, its routes and rules ------------- sockets of the bridge
 * </pre>
 *
 * A {@link StackRecord} is written before the first change. Control thread, but for the ports.
 */
public final class StackUnderlay implements Underlay {
    private static final Logger LOG = LoggerFactory.getLogger(StackUnderlay.class);

    private final Path directory;
    private final StackNames names;
    private final RouteSocket socket = new RouteSocket();
    private final Links links = new Links(socket);
    private final StackRoutes routes;
    private final List<AutoCloseable> open = new ArrayList<>();
    private Guard guard;
    private ClearQueue queue;
    private OthersChains others;
    private OthersFlowtables flowtables;
    private StackTable table;
    private StackTap tap;
    private StackHostPort host;
    private IpSocketPort network;
    private LinkEvents linkEvents;
    private RulesetEvents rulesetEvents;
    private StackEncapsulation encapsulation;
    private StackArrivals arrivals;
    private boolean finishesUdp;

    private StackUnderlay(Path directory, StackNames names) throws OsException {
        this.directory = directory;
        this.names = names;
        this.routes = new StackRoutes(socket, names);
    }

    /**
     * Takes its place, or takes it up again as a bridge left it when it died.
     *
     * @param directory where the record is; the caller holds its lock
     * @param left the record, null if there is none
     */
    static StackUnderlay attach(StackPlan plan, Path directory, StackRecord left) throws IOException {
        if (left != null && !left.names().equals(plan.names())) {
            throw new AttachmentException(("%s is in the host's stack already: run with --tap %s --mark-bit 0x%x, or "
                            + "\"xfrm-bridge detach\" first")
                    .formatted(directory, left.names().tap(), left.names().markBit()));
        }
        StackUnderlay underlay = new StackUnderlay(directory, plan.names());
        try {
            if (left == null) {
                StackNeed.check(underlay.links, underlay.routes, plan.names());
            }
        } catch (IOException e) {
            underlay.leave();
            throw e;
        }
        try {
            if (left == null) {
                new StackRecord(NamespaceId.here(), plan.names()).write(directory);
            }
            underlay.install(plan, left != null);
            return underlay;
        } catch (IOException | RuntimeException e) {
            if (left == null) {
                underlay.rollBack(e);
            }
            underlay.leave();
            throw e;
        }
    }

    /** What was made by now: a kernel, or its rights, that lacks one part does not let others of it be removed. */
    private void rollBack(Exception reason) {
        try {
            if (table != null) {
                StackTable.remove(guard.socket());
            }
            if (guard != null) {
                guard.end();
            }
            Link device = links.find(names.tap());
            if (tap != null) {
                routes.remove(device);
            }
            if (device != null) {
                links.delete(device.index());
            }
            AttachmentRecord.delete(directory);
        } catch (IOException e) {
            reason.addSuppressed(e);
        }
    }

    /**
     * Policies of a bridge that died are known later. Until then its tables stand, which no start that fails changes;
     * if they do not, all is selected.
     *
     * @param left whether there was such a bridge
     */
    private void install(StackPlan plan, boolean left) throws IOException {
        TapDevice.Offload offload = plan.offload() ? TapDevice.Offload.SUPER_FRAMES : TapDevice.Offload.NONE;
        boolean hasTap = links.find(names.tap()) != null;
        tap = own(StackNeed.TAP.open(() -> new StackTap(names.tap(), offload, plan.queues(), links, socket)));
        linkEvents = own(new LinkEvents());
        network = StackNeed.SOCKETS.open(() -> new IpSocketPort(
                () -> new StackShortcuts(new SystemClock(), names.markBit()),
                () -> new StackInboundShortcuts(new SystemClock(), names.markBit()),
                plan.offload()));
        own(network::release);
        StackNeed.ROUTING.open(() -> {
            routes.requireRules(tap.link());
            return routes.install(tap.link());
        });
        queue = own(StackNeed.QUEUE.open(() -> ClearQueue.open(names.userBits())));
        List<StackTapPort> queues = new ArrayList<>();
        for (int i = 0; i < tap.device().queueCount(); i++) {
            queues.add(new StackTapPort(tap.device(), i, tap.link().mac(), names.markBit(), plan.openedMark()));
        }
        host = new StackHostPort(queues, new SystemClock());
        own(host::release);
        guard = own(Guard.open(directory));
        boolean haveGroups = haveGroups();
        if (left && hasTap && !routes.isShut() && StackTable.isLeft(guard.socket())) {
            table = StackTable.takeUp(names, tap.link().index(), queue.number(), guard.socket(), haveGroups);
        } else {
            SelectionChange first = left ? SelectionChange.allWide() : SelectionChange.nothing();
            useRules(first);
            table = StackNeed.NFTABLES.open(() ->
                    StackTable.install(names, tap.link().index(), queue.number(), guard.socket(), haveGroups, first));
        }
        others = own(StackNeed.NFTABLES.open(OthersChains::open));
        flowtables = own(new OthersFlowtables(routes, links));
        encapsulation = new StackEncapsulation(network, table);
        rulesetEvents = own(StackNeed.NFTABLES.open(RulesetEvents::new));
        arrivals = new StackArrivals(socket);
        cover(false);
        table.forwarding(tap.hostForwards());
        lookAtOthers();
        // A bridge that died while it let nothing pass has left it so.
        routes.open();
        LOG.info(
                "in the host's stack, by {}, nftables' tables {} and routing table {}",
                names.tap(),
                StackNames.TABLE,
                StackNames.ROUTE_TABLE);
    }

    private static boolean haveGroups() throws OsException {
        boolean have = IpSocket.haveGroups();
        if (!have) {
            LOG.warn("without CAP_SETGID, or in the network namespace of other users, packets that pass must not be "
                    + "given priorities by rules of others: what they set comes back to the bridge for ever");
        }
        return have;
    }

    private <T extends AutoCloseable> T own(T part) {
        open.addFirst(part);
        return part;
    }

    /** Undoes what a record tells of. */
    static void detach(Path directory, StackRecord left) throws IOException {
        new StackUnderlay(directory, left.names()).close();
    }

    /** What a bridge left that ended. */
    static Place left(Path directory, StackRecord left) throws IOException {
        StackUnderlay underlay = new StackUnderlay(directory, left.names());
        try {
            return underlay.look().left();
        } finally {
            underlay.leave();
        }
    }

    @Override
    public Place status() throws OsException {
        return look().place(
                        queue.number(),
                        table.covered(),
                        uncovered(),
                        table.encapsulation().keySet());
    }

    private StackLook look() {
        return new StackLook(socket, links, routes, names, directory);
    }

    /** Up, but no place where what is selected could be seen when it leaves. */
    private List<String> uncovered() throws OsException {
        return links.all().stream()
                .filter(link -> link.leadsOut()
                        && link.index() != tap.link().index()
                        && table.covered().stream()
                                .noneMatch(device -> device.isEthernet() && device.index() == link.index()))
                .map(Link::name)
                .sorted()
                .toList();
    }

    @Override
    public Placement placement() {
        return Placement.IN_STACK;
    }

    @Override
    public String label() {
        return "in the stack (" + names.tap() + ')';
    }

    @Override
    public String whatStays() {
        return "what they select does not pass until it runs again; \"xfrm-bridge detach\" ends them";
    }

    @Override
    public List<PacketPort> hosts() {
        return host.queues();
    }

    @Override
    public PacketPort network() {
        return network;
    }

    @Override
    public boolean isHostWaiting(int queue) {
        return host.isReadable(queue);
    }

    @Override
    public int hostIndex() {
        return tap.link().index();
    }

    /** Where policies become sets of what comes here. */
    public SelectionTable selectionTable() {
        return change -> {
            useRules(change);
            Set<WideScope> wide = new HashSet<>(change.wide());
            wide.removeAll(table.wide());
            table.commit(change);
            if (!change.added().isEmpty() || !wide.isEmpty()) {
                flowtables.end(change.added(), wide);
            }
        };
    }

    private void useRules(SelectionChange next) throws OsException {
        if (!next.levels().isEmpty() || !next.wide().isEmpty()) {
            routes.useRules(tap.link());
        }
    }

    /** Whether what was opened can come in by a device. Any thread. */
    public boolean takesOpened(int ifindex) {
        return arrivals.contain(ifindex);
    }

    /** Bits of a packet's mark that are the user's. */
    public int markBits() {
        return names.userBits();
    }

    /** The packets that came in the clear, and that a policy may want protected. Its thread reads it. */
    public ClearQueue clearQueue() {
        return queue;
    }

    /**
     * Has ESP in UDP come here that arrives at these ports, whoever else has a socket there. What fails is tried again
     * by {@link #keepClosed}.
     *
     * @param ports all of them from now on
     */
    public void encapsulate(Set<Integer> ports) throws OsException {
        encapsulation.set(ports);
    }

    /** Keeps the host from sending, forwarding and receiving anything but from and to itself. */
    public Selection.Barrier barrier() {
        return new Selection.Barrier() {
            @Override
            public void close() {
                attempt(routes::shut, "what the host sends and forwards could not be stopped");
                attempt(table::shut, "what comes in, and what is bound to an interface, could not be stopped");
            }

            @Override
            public void open() throws OsException {
                table.open();
                routes.open();
            }
        };
    }

    private interface Attempt {
        void make() throws OsException;
    }

    private static void attempt(Attempt attempt, String failure) {
        try {
            attempt.make();
        } catch (OsException e) {
            LOG.error("{}: {}", failure, e.getMessage());
        }
    }

    /** Has IP in IP come here, too, for the sake of IPComp. */
    public void receiveIpInIp() throws OsException {
        network.receiveIpInIp();
    }

    @Override
    public String superFrames() {
        if (tap.device().offload() == TapDevice.Offload.NONE) {
            return "none: --no-offload";
        }
        return "TCP%s at %s, ESP in UDP from the network%s"
                .formatted(
                        tap.device().carriesDatagrams() ? " and UDP" : "",
                        names.tap(),
                        finishesUdp ? " and to it" : ", not to it: a device finishes no checksums");
    }

    /** What tells of changes of the host, by what a person calls them. */
    @Override
    public Map<String, EventSource> eventSources() {
        return Map.of("interfaces and routes", linkEvents, "nftables", rulesetEvents, "the guard", new GuardEvents());
    }

    /** Routes and interfaces. Made before any of them is read. */
    private final class LinkEvents extends RouteEvents {
        LinkEvents() throws OsException {
            super();
        }

        @Override
        void changed(boolean hasLinkGone) throws OsException {
            keepWay();
            cover(hasLinkGone);
        }
    }

    /** Tables of nftables, of whoever they are. */
    private final class RulesetEvents extends RulesetWatch {
        RulesetEvents() throws OsException {
            super();
        }

        @Override
        protected void changed() throws OsException {
            keepTables();
        }
    }

    /** Until there is another guard, the end of this process leaves tables that anybody may flush. */
    private final class GuardEvents implements EventSource {
        @Override
        public int fd() {
            return guard.fd();
        }

        @Override
        public void handleEvents() {
            lookAfter(guard::keep);
        }

        /** With the rest. */
        @Override
        public void close() {}
    }

    @Override
    public void keepClosed() {
        lookAfter(guard::keep);
        lookAfter(this::keepWay);
        lookAfter(this::keepTables);
        lookAfter(() -> cover(false));
        lookAfter(encapsulation::keep);
    }

    private interface Care {
        void run() throws IOException;
    }

    /** What cannot be mended keeps nothing else from being so. */
    private static void lookAfter(Care part) {
        try {
            part.run();
        } catch (IOException e) {
            LOG.warn("what is in the host's stack could not be looked after: {}", e.getMessage());
        }
    }

    private void keepWay() throws OsException {
        boolean tapChanged = tap.keep();
        boolean routesChanged = routes.install(tap.link());
        if (tapChanged) {
            LOG.warn("somebody has changed the device {}: it is as before", names.tap());
        }
        if (routesChanged && !tapChanged) {
            LOG.warn(
                    "somebody has taken away rules of preference {} or {}, or routes of table {}: they are there again",
                    StackNames.MARK_RULE,
                    StackNames.TAP_RULE,
                    StackNames.ROUTE_TABLE);
        }
        table.forwarding(tap.hostForwards());
    }

    private void keepTables() throws OsException {
        if (!table.isThere()) {
            table.restore();
            cover(false);
            LOG.warn("somebody has taken away nftables' tables {}: they are there again", StackNames.TABLE);
        }
        lookAtOthers();
    }

    private void lookAtOthers() throws OsException {
        Others now = others.look();
        table.beside(now);
        flowtables.note(now.flowtables(), names.tap(), table::selected);
    }

    /** @param hasLinkGone one of the same name and number has come, maybe, and not the chain that it had */
    private void cover(boolean hasLinkGone) throws OsException {
        List<Link> all = links.all();
        finishesUdp = all.stream()
                .filter(link -> link.leadsOut() && link.index() != tap.link().index())
                .allMatch(link -> DeviceFeature.finishesUdp(link.name()));
        network.setTrainsTaken(finishesUdp);
        Set<CoveredDevice> devices = all.stream()
                .filter(link -> !link.isLoopback() && link.index() != tap.link().index())
                .map(link -> new CoveredDevice(
                        link.index(),
                        link.name(),
                        link.isEthernet(),
                        link.mayTunnel(),
                        link.isBridge(),
                        link.isVrf() ? link.mac() : 0))
                .collect(Collectors.toSet());
        table.cover(devices, hasLinkGone);
        arrivals.keep(tap.link().index(), devices, hasLinkGone);
        host.setVrfs(devices.stream()
                .filter(device -> device.vrfMac() != 0)
                .collect(Collectors.toMap(CoveredDevice::index, CoveredDevice::vrfMac)));
    }

    @Override
    public void close() throws IOException {
        try {
            undo();
            LOG.info("out of the host's stack: nothing of the bridge is left there");
        } finally {
            leave();
        }
    }

    /** The tables first: without them nothing is selected any more. */
    private void undo() throws IOException {
        if (guard == null) {
            guard = own(Guard.open(directory));
        }
        StackTable.remove(guard.socket());
        guard.end();
        undoWithoutTables();
    }

    private void undoWithoutTables() throws IOException {
        Link device = links.find(names.tap());
        routes.remove(device);
        if (device != null) {
            links.delete(device.index());
        }
        AttachmentRecord.delete(directory);
    }

    @Override
    public void leave() {
        for (AutoCloseable part : open) {
            try {
                part.close();
            } catch (Exception e) {
                LOG.debug("a part could not be closed: {}", e.getMessage());
            }
        }
        socket.close();
    }
}
