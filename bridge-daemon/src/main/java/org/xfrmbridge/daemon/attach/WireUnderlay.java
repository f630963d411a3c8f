package org.xfrmbridge.daemon.attach;

import java.io.IOException;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.xfrmbridge.daemon.nft.StackNames;
import org.xfrmbridge.daemon.os.DeviceFeature;
import org.xfrmbridge.daemon.os.OsException;
import org.xfrmbridge.daemon.os.PacketRing;
import org.xfrmbridge.daemon.os.TapDevice;
import org.xfrmbridge.daemon.port.LinkPort;
import org.xfrmbridge.daemon.port.TapPort;
import org.xfrmbridge.daemon.route.IpConfiguration;
import org.xfrmbridge.daemon.route.Link;
import org.xfrmbridge.daemon.route.Links;
import org.xfrmbridge.daemon.route.RouteMessage;
import org.xfrmbridge.daemon.route.RouteSocket;
import org.xfrmbridge.daemon.route.SegmentationLimits;
import org.xfrmbridge.daemon.status.Part;
import org.xfrmbridge.daemon.status.Place;
import org.xfrmbridge.datapath.PathContext.Placement;
import org.xfrmbridge.io.PacketPort;
import org.xfrmbridge.netlink.nl.NetlinkHeader;

/**
 * A bump in the wire, made and undone over rtnetlink alone (in a container /proc/sys may be read-only and {@code ip}
 * absent).
 *
 * <pre>
 *   before:   host -- eth0 -- network
 *
 *   after:    host -- xfrm0 (TAP, with eth0's MAC address and IP configuration)
 *                       :  the datapath
 *                     xfrm0n (TAP) -- xfrm0b (bridge) -- eth0 (another MAC address) -- network
 * </pre>
 *
 * Both TAPs are persistent: while no process holds them they have no carrier, so a bridge that died lets nothing pass,
 * and the one that comes back finds everything as it was. A {@link WireRecord} is written before the first change. One
 * thread.
 */
public final class WireUnderlay implements Underlay {
    private static final Logger LOG = LoggerFactory.getLogger(WireUnderlay.class);
    private static final String ABSENT = "is not there";
    private static final SecureRandom RANDOM = new SecureRandom();

    /**
     * A burst from the network may wait a few milliseconds while its thread has no core; the default is 1000 frames.
     */
    private static final int NETWORK_QUEUE_FRAMES = 4096;

    private final Path directory;
    private final RouteSocket socket;
    private final Links links;
    private final ConfigurationMove move;
    private TapDevice hostTap;
    private TapDevice networkTap;
    private final List<TapPort> hostPorts = new ArrayList<>();
    private PacketPort networkPort;
    /** The same, null if ESP comes and goes like all else. */
    private LinkPort linkPort;

    private WireRecord record;
    private IngressFilter filter;
    private TapDevice.Offload offload = TapDevice.Offload.NONE;
    private int queues = 1;
    private boolean mergesDatagrams;
    private boolean resumed;

    private WireUnderlay(Path directory) throws OsException {
        this.directory = directory;
        this.socket = new RouteSocket();
        this.links = new Links(socket);
        this.move = new ConfigurationMove(socket);
    }

    /**
     * Stands in for an interface, or takes up an attachment again that a bridge left when it died.
     *
     * @param directory where the record is; the caller holds its lock
     * @param left the record, null if there is none
     */
    static WireUnderlay attach(WirePlan plan, Path directory, WireRecord left) throws IOException {
        WireUnderlay underlay = new WireUnderlay(directory);
        underlay.offload = plan.offload() ? TapDevice.Offload.SUPER_FRAMES : TapDevice.Offload.NONE;
        underlay.queues = plan.queues();
        try {
            if (left == null) {
                underlay.make(plan.names());
            } else {
                underlay.resume(left, plan.names());
            }
            return underlay;
        } catch (IOException e) {
            underlay.leave();
            throw e;
        }
    }

    /** Undoes what a record tells of. */
    static void detach(Path directory, WireRecord left) throws IOException {
        WireUnderlay underlay = new WireUnderlay(directory);
        underlay.record = left;
        underlay.close();
    }

    private void resume(WireRecord left, DeviceNames names) throws IOException {
        if (!left.names().equals(names)) {
            throw new AttachmentException(
                    "%s is attached to %s through %s already: run with these, or \"xfrm-bridge detach\" first"
                            .formatted(
                                    directory,
                                    left.names().original(),
                                    left.names().host()));
        }
        record = left;
        if (left.phase() == WireRecord.Phase.ATTACHED && isWhole(left)) {
            openTaps(names);
            resumed = true;
            closeWaysAround(names);
            // What goes with a carrier: proxy entries. All else has stayed.
            move.addNeighbours(left.configuration(), links.find(names.host()));
            mergeDatagrams();
            openNetwork(links.find(names.original()));
            LOG.info("took up {} in front of {} again", names.host(), names.original());
            return;
        }
        LOG.warn("what an earlier bridge left is not whole: restoring {} first", names.original());
        restore();
        make(names);
    }

    private boolean isWhole(WireRecord left) throws OsException {
        Link original = links.find(left.names().original());
        Link bridge = links.find(left.names().bridge());
        Link network = links.find(left.names().network());
        return links.find(left.names().host()) != null
                && bridge != null
                && original != null
                && original.master() == bridge.index()
                && network != null
                && network.master() == bridge.index();
    }

    private void make(DeviceNames names) throws IOException {
        WireRules rules = new WireRules(links);
        Link original = rules.check(names);
        openTaps(names);
        try {
            links.createBridge(names.bridge(), randomMac(), original.mtuBytes());
            rules.requireFree(original, links.find(names.bridge()));
            Link network = prepare(names, original);
            record = new WireRecord(
                    NamespaceId.here(),
                    names,
                    WireRecord.Phase.MOVING,
                    original,
                    IpConfiguration.read(socket, original.index()),
                    move.silence(original.index()),
                    false);
            record.write(directory);
            moveToHostTap(original, links.find(names.host()), network.master());
            record = record.in(WireRecord.Phase.ATTACHED);
            record.write(directory);
            mergeDatagrams();
            openNetwork(links.find(names.original()));
        } catch (AttachmentException e) {
            rollBack(names, e);
            throw e;
        } catch (IOException e) {
            rollBack(names, e);
            throw new AttachmentException(
                    "%s could not be taken over and is as before (%s): run without --attach"
                            .formatted(names.original(), e.getMessage()),
                    e);
        }
        LOG.info("attached: {} has the addresses and routes of {}", names.host(), names.original());
    }

    private void rollBack(DeviceNames names, IOException reason) {
        try {
            if (record != null) {
                restore();
            } else {
                deleteDevices(names);
            }
        } catch (IOException e) {
            reason.addSuppressed(e);
        }
    }

    private void openTaps(DeviceNames names) throws AttachmentException {
        try {
            hostTap = TapDevice.open(names.host(), offload, queues);
            networkTap = TapDevice.open(names.network(), offload);
            for (int i = 0; i < hostTap.queueCount(); i++) {
                hostPorts.add(TapPort.ofHost(hostTap, i));
            }
        } catch (OsException e) {
            throw WireRules.explain(e, names);
        }
    }

    /** Without rights for packet sockets, or nftables in the kernel, ESP crosses the bridge like all else. */
    private void openNetwork(Link original) throws OsException {
        SegmentationLimits limits = links.segmentationLimits(original.index());
        PacketRing ring = filter == null ? null : openRing(original);
        if (ring == null) {
            networkPort = TapPort.ofNetwork(networkTap, limits.segments(), limits.bytes());
            return;
        }
        linkPort = new LinkPort(networkTap, ring, original.index(), limits.segments(), limits.bytes());
        networkPort = linkPort;
        filter.dropTaken(original.name(), ring.mostPacketBytes());
    }

    private static PacketRing openRing(Link original) {
        try {
            return PacketRing.of(original.index(), original.mtuBytes());
        } catch (OsException e) {
            LOG.warn("ESP crosses the bridge in front of {}, which is slower: {}", original.name(), e.getMessage());
            return null;
        }
    }

    /**
     * Has the original interface merge what it receives, if it can, or no longer. A device that takes super-frames of
     * others, as a veth does, hands them on without being told.
     */
    private void mergeDatagrams() throws IOException {
        String name = record.names().original();
        boolean isOn = DeviceFeature.UDP_GRO_FORWARDING.isOn(name);
        if (networkTap.carriesDatagrams() && !isOn) {
            record = record.merging(true);
            record.write(directory);
            isOn = DeviceFeature.UDP_GRO_FORWARDING.set(name, true);
        } else if (!networkTap.carriesDatagrams() && record.mergesDatagrams()) {
            isOn = DeviceFeature.UDP_GRO_FORWARDING.set(name, false);
            record = record.merging(false);
            record.write(directory);
        }
        mergesDatagrams = isOn;
    }

    /** What was made by an earlier version may lack it, and anybody may have taken it away. */
    private void closeWaysAround(DeviceNames names) throws OsException {
        links.makeWire(links.find(names.original()).index());
        links.makeWire(links.find(names.network()).index());
        filter = IngressFilter.install(names.bridge());
    }

    /**
     * Sets up devices that carry nothing yet: the TAPs and the bridge, all of the same MTU. Returns the network's TAP,
     * a port of the bridge.
     */
    private Link prepare(DeviceNames names, Link original) throws OsException {
        Link bridge = links.find(names.bridge());
        Link network = links.find(names.network());
        Link host = links.find(names.host());
        for (Link silent : new Link[] {bridge, network}) {
            links.setAddressGeneration(silent.index(), Link.NO_GENERATED_ADDRESS);
            DeviceSettings.disableIpv6(silent.name());
        }
        links.setAddressGeneration(host.index(), Link.NO_GENERATED_ADDRESS);
        links.setMtu(network.index(), original.mtuBytes());
        links.setMtu(host.index(), original.mtuBytes());
        links.setQueueLength(network.index(), NETWORK_QUEUE_FRAMES);
        links.setMac(host.index(), original.mac());
        links.addPort(bridge.index(), network.index());
        links.isolateBridge(bridge.index());
        filter = IngressFilter.install(bridge.name());
        links.setUp(network.index());
        links.setUp(bridge.index());
        links.setUp(host.index());
        move.silence(network.index());
        move.silence(bridge.index());
        DeviceSettings.copy(original, host);
        return links.find(names.network());
    }

    private void moveToHostTap(Link original, Link host, int bridgeIndex) throws OsException {
        links.setAddressGeneration(original.index(), Link.NO_GENERATED_ADDRESS);
        move.remove(record.configuration(), original.index());
        links.setMac(original.index(), randomMac());
        links.addPort(bridgeIndex, original.index());
        if (!original.isUp()) {
            links.setUp(original.index());
        }
        move.silence(original.index());
        move.add(record.configuration(), original, host);
        links.setAddressGeneration(host.index(), original.addressGeneration());
    }

    /** A locally administered unicast address. */
    private static long randomMac() {
        return RANDOM.nextLong() & 0xfcff_ffff_ffffL | 0x0200_0000_0000L;
    }

    /** What a bridge left that ended. */
    static Place left(Path directory, WireRecord left) throws IOException {
        WireUnderlay underlay = new WireUnderlay(directory);
        underlay.record = left;
        try {
            return underlay.status();
        } finally {
            underlay.leave();
        }
    }

    @Override
    public Place status() throws OsException {
        DeviceNames names = record.names();
        return new Place(
                "in front of " + names.original(),
                names.host(),
                true,
                "--attach " + names.original()
                        + (names.host().equals(StackNames.DEFAULT.tap()) ? "" : " --tap " + names.host()),
                socket.namespaceCookie(),
                List.of(
                        Part.of("device " + names.host(), () -> hostFault(names)),
                        Part.of("bridge " + names.bridge(), () -> links.find(names.bridge()) == null ? ABSENT : null),
                        Part.of("port " + names.network(), () -> portFault(names, names.network())),
                        Part.of("port " + names.original(), () -> portFault(names, names.original())),
                        Part.of(
                                "nftables' table " + IngressFilter.tableOf(names.bridge()),
                                () -> IngressFilter.isThere(names.bridge()) ? null : ABSENT)),
                List.of(names.original()),
                others(names),
                List.of());
    }

    private String hostFault(DeviceNames names) throws OsException {
        Link host = links.find(names.host());
        if (host == null) {
            return ABSENT;
        }
        return host.isUp() ? null : "is down";
    }

    private String portFault(DeviceNames names, String name) throws OsException {
        Link port = links.find(name);
        if (port == null) {
            return ABSENT;
        }
        Link bridge = links.find(names.bridge());
        return bridge != null && port.master() == bridge.index() ? null : "is no port of " + names.bridge();
    }

    private List<String> others(DeviceNames names) throws OsException {
        Set<String> own = Set.of(names.original(), names.host(), names.network(), names.bridge());
        return links.all().stream()
                .filter(link -> link.leadsOut() && !own.contains(link.name()))
                .map(Link::name)
                .sorted()
                .toList();
    }

    @Override
    public List<PacketPort> hosts() {
        return List.copyOf(hostPorts);
    }

    @Override
    public PacketPort network() {
        return networkPort;
    }

    @Override
    public boolean isHostWaiting(int queue) {
        return hostPorts.get(queue).isReadable();
    }

    @Override
    public int hostIndex() throws OsException {
        return links.find(record.names().host()).index();
    }

    @Override
    public Placement placement() {
        return Placement.IN_WIRE;
    }

    @Override
    public String label() {
        return "at " + record.names().original() + " (" + record.names().host() + ')';
    }

    @Override
    public String superFrames() {
        DeviceNames names = record.names();
        if (offload == TapDevice.Offload.NONE) {
            return "none: --no-offload";
        }
        if (!networkTap.carriesDatagrams()) {
            return "TCP at %s and from %s; UDP needs Linux 6.2".formatted(names.host(), names.original());
        }
        return "TCP and UDP at %s and from %s, ESP in UDP to %2$s, which %s what it receives"
                .formatted(names.host(), names.original(), mergesDatagrams ? "may merge" : "does not merge");
    }

    @Override
    public String whatStays() {
        return ("nothing passes %s until it runs again; \"xfrm-bridge detach\" ends them and gives %s its addresses "
                        + "and routes back")
                .formatted(record.names().host(), record.names().original());
    }

    @Override
    public void keepClosed() {
        if (filter != null) {
            filter.keep();
        }
    }

    /** Whether it took up what a bridge left that died. */
    boolean isResumed() {
        return resumed;
    }

    /** Gives the original interface everything back that the host's TAP has now, and removes the devices. */
    @Override
    public void close() throws IOException {
        try {
            restore();
            LOG.info(
                    "detached: {} has its addresses and routes back",
                    record.names().original());
        } finally {
            leave();
        }
    }

    @Override
    public void leave() {
        if (hostTap != null) {
            hostTap.close();
        }
        if (networkTap != null) {
            networkTap.close();
        }
        if (linkPort != null) {
            linkPort.release();
        }
        if (filter != null) {
            filter.close();
        }
        socket.close();
    }

    private void restore() throws IOException {
        DeviceNames names = record.names();
        Link original = links.find(names.original());
        Link host = links.find(names.host());
        if (original == null) {
            throw new AttachmentException(
                    ("there is no %s any more to give its configuration back to: \"ip link delete\" %s, %s and %s, "
                                    + "and delete %s")
                            .formatted(
                                    names.original(),
                                    names.host(),
                                    names.network(),
                                    names.bridge(),
                                    AttachmentRecord.file(directory)));
        }
        boolean current = record.phase() == WireRecord.Phase.ATTACHED && host != null && host.isUp();
        IpConfiguration configuration = current
                ? IpConfiguration.read(socket, host.index()).withNeighboursOf(record.configuration())
                : record.configuration();
        if (host != null) {
            links.setAddressGeneration(host.index(), Link.NO_GENERATED_ADDRESS);
            move.remove(IpConfiguration.read(socket, host.index()), host.index());
        }
        release(original);
        move.add(configuration, current ? host : record.original(), original);
        for (RouteMessage route : record.multicastRoutes()) {
            move.change(route, NetlinkHeader.CREATE);
        }
        links.setAddressGeneration(original.index(), record.original().addressGeneration());
        if (!record.original().isUp()) {
            links.setDown(original.index());
        }
        deleteDevices(names);
        AttachmentRecord.delete(directory);
    }

    private void release(Link original) throws OsException {
        if (original.master() != 0) {
            links.removeMaster(original.index());
        }
        if (original.mac() != record.original().mac()) {
            links.setMac(original.index(), record.original().mac());
        }
        if (record.mergesDatagrams()) {
            DeviceFeature.UDP_GRO_FORWARDING.set(original.name(), false);
        }
    }

    private void deleteDevices(DeviceNames names) throws OsException {
        for (String name : new String[] {names.bridge(), names.network(), names.host()}) {
            Link link = links.find(name);
            if (link != null) {
                links.delete(link.index());
            }
        }
        IngressFilter.remove(names.bridge());
    }
}
