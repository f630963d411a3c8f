package org.xfrmbridge.daemon.attach;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.xfrmbridge.daemon.nft.ClearQueue;
import org.xfrmbridge.daemon.nft.StackNames;
import org.xfrmbridge.daemon.nft.StackTable;
import org.xfrmbridge.daemon.os.NetlinkSocket;
import org.xfrmbridge.daemon.os.OsException;
import org.xfrmbridge.daemon.os.SystemClock;
import org.xfrmbridge.daemon.os.TapDevice;
import org.xfrmbridge.daemon.port.IpSocketPort;
import org.xfrmbridge.daemon.route.Links;
import org.xfrmbridge.daemon.route.RouteSocket;
import org.xfrmbridge.daemon.selection.SelectionChange;
import org.xfrmbridge.daemon.status.Part;

/** Tries whether a kernel and its rights have what a place in the host's stack needs, one thing after the other. */
public final class StackTrial {
    private static final StackNames NAMES = StackNames.DEFAULT;

    private final RouteSocket socket;
    private final Links links;
    private final StackRoutes routes;

    private StackTrial(RouteSocket socket) {
        this.socket = socket;
        links = new Links(socket);
        routes = new StackRoutes(socket, NAMES);
    }

    /**
     * What there is of it.
     *
     * @param needed without which no bridge can be there
     * @param arrivals by which opened packets come in by other devices than the TAP; null if that was not tried
     */
    public record Result(List<Part> needed, Part arrivals) {}

    /**
     * Makes all of it, in the network namespace of the calling thread, and leaves it there: let that be one that ends.
     */
    public static Result run() throws OsException {
        try (RouteSocket socket = new RouteSocket()) {
            return new StackTrial(socket).result();
        }
    }

    /**
     * Why there is no room in the host's stack, in this network namespace, which is not changed; empty if there is.
     *
     * @param tap the name of the interface to be made
     */
    public static Optional<String> refusal(String tap) {
        try (RouteSocket socket = new RouteSocket()) {
            StackNames names = new StackNames(tap, NAMES.markBit());
            StackNeed.check(new Links(socket), new StackRoutes(socket, names), names);
            return Optional.empty();
        } catch (AttachmentException | OsException e) {
            return Optional.of(e.getMessage());
        }
    }

    private Result result() {
        List<Part> parts = new ArrayList<>();
        Part arrivals = null;
        parts.add(part(
                "raw sockets",
                StackNeed.SOCKETS,
                () -> new IpSocketPort(
                                () -> new StackShortcuts(new SystemClock(), NAMES.markBit()),
                                () -> new StackInboundShortcuts(new SystemClock(), NAMES.markBit()),
                                true)
                        .close()));
        parts.add(part(
                "queues of netfilter",
                StackNeed.QUEUE,
                () -> ClearQueue.open(NAMES.userBits()).close()));
        try (StackTap tap = new StackTap(NAMES.tap(), TapDevice.Offload.SUPER_FRAMES, 1, links, socket)) {
            parts.add(new Part("TAP devices", null));
            parts.add(part("policy routing", StackNeed.ROUTING, () -> {
                // As it is where a bridge may run.
                links.setUp(links.find("lo").index());
                routes.requireRules(tap.link());
                routes.install(tap.link());
                routes.useRules(tap.link());
            }));
            parts.add(part("nftables", StackNeed.NFTABLES, () -> {
                try (NetlinkSocket owner = NetlinkSocket.toNetfilter()) {
                    StackTable.install(NAMES, tap.link().index(), 0, owner, false, SelectionChange.allWide());
                }
            }));
            arrivals = Part.of(
                    "filters of tc",
                    () -> StackArrivals.fault(socket, tap.link().index()));
        } catch (OsException e) {
            parts.add(part("TAP devices", StackNeed.TAP, () -> {
                throw e;
            }));
        }
        return new Result(parts, arrivals);
    }

    /** Something that is made. */
    private interface Making {
        void make() throws OsException;
    }

    private static Part part(String name, StackNeed need, Making making) {
        try {
            need.open(() -> {
                making.make();
                return true;
            });
            return new Part(name, null);
        } catch (AttachmentException e) {
            return new Part(name, e.getMessage());
        }
    }
}
