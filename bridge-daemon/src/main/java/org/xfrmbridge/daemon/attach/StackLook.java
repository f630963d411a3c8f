package org.xfrmbridge.daemon.attach;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.stream.Stream;
import org.xfrmbridge.daemon.nft.Batch.Family;
import org.xfrmbridge.daemon.nft.CoveredDevice;
import org.xfrmbridge.daemon.nft.Guard;
import org.xfrmbridge.daemon.nft.NetfilterSocket;
import org.xfrmbridge.daemon.nft.StackNames;
import org.xfrmbridge.daemon.os.NetlinkSocket;
import org.xfrmbridge.daemon.os.OsException;
import org.xfrmbridge.daemon.route.Link;
import org.xfrmbridge.daemon.route.Links;
import org.xfrmbridge.daemon.route.RouteSocket;
import org.xfrmbridge.daemon.status.Part;
import org.xfrmbridge.daemon.status.Place;

/** Looks for what a bridge has in the host's stack, and changes nothing. One thread. */
final class StackLook {
    private static final String ABSENT = "is not there";
    private static final Path QUEUES = Path.of("/proc/thread-self/net/netfilter/nfnetlink_queue");

    private final RouteSocket socket;
    private final Links links;
    private final StackRoutes routes;
    private final StackNames names;
    private final Path directory;

    /** @param directory of the bridge */
    StackLook(RouteSocket socket, Links links, StackRoutes routes, StackNames names, Path directory) {
        this.socket = socket;
        this.links = links;
        this.routes = routes;
        this.names = names;
        this.directory = directory;
    }

    /** What a bridge left that ended. */
    Place left() throws OsException {
        return place(stays(), Set.of(), List.of(), Set.of());
    }

    /**
     * All that a bridge has while it runs.
     *
     * @param queue number of that for packets that came in the clear
     * @param covered devices where what is selected is seen when it leaves
     * @param uncovered names of those where it is not, though they lead out
     * @param encapsulations ports at which ESP in UDP is taken
     */
    Place place(int queue, Set<CoveredDevice> covered, List<String> uncovered, Set<Integer> encapsulations)
            throws OsException {
        List<Part> parts = Stream.concat(
                        stays().stream(), Stream.of(Part.of("queue " + queue, () -> queueFault(queue))))
                .toList();
        return place(parts, covered, uncovered, encapsulations);
    }

    private Place place(
            List<Part> parts, Set<CoveredDevice> covered, List<String> uncovered, Set<Integer> encapsulations)
            throws OsException {
        return new Place(
                "in the stack",
                names.tap(),
                false,
                runOptions(),
                socket.namespaceCookie(),
                parts,
                covered.stream()
                        .filter(CoveredDevice::isEthernet)
                        .map(CoveredDevice::name)
                        .sorted()
                        .toList(),
                uncovered,
                encapsulations.stream().sorted().toList());
    }

    private String runOptions() {
        return names.equals(StackNames.DEFAULT)
                ? ""
                : "--tap %s --mark-bit 0x%x".formatted(names.tap(), names.markBit());
    }

    private List<Part> stays() {
        return List.of(
                Part.of("device " + names.tap(), this::tapFault),
                Part.of(
                        "table %d, rules %d and %d once there are policies, mark bit 0x%x"
                                .formatted(
                                        StackNames.ROUTE_TABLE,
                                        StackNames.MARK_RULE,
                                        StackNames.TAP_RULE,
                                        names.markBit()),
                        this::routesFault),
                Part.of("nftables' tables inet and netdev " + StackNames.TABLE, StackLook::tablesFault),
                Part.of("guard of the tables", () -> Guard.isThere(directory) ? null : ABSENT));
    }

    private String tapFault() throws OsException {
        Link tap = links.find(names.tap());
        if (tap == null) {
            return ABSENT;
        }
        return tap.isUp() ? null : "is down";
    }

    private String routesFault() throws OsException {
        Link tap = links.find(names.tap());
        if (tap == null) {
            return "lead nowhere without the device";
        }
        List<String> missing = routes.missing(tap);
        return missing.isEmpty() ? null : "without " + String.join(", ", missing);
    }

    private static String tablesFault() throws OsException {
        List<String> missing = new ArrayList<>();
        try (NetfilterSocket netfilter = new NetfilterSocket(NetlinkSocket.toNetfilter())) {
            for (Family family : List.of(Family.INET, Family.NETDEV)) {
                if (!netfilter.hasTable(family, StackNames.TABLE)) {
                    missing.add("table " + family.name().toLowerCase(Locale.ROOT) + " is not there");
                }
            }
        }
        return missing.isEmpty() ? null : String.join(", ", missing);
    }

    private static String queueFault(int queue) throws IOException {
        String number = String.valueOf(queue);
        try (Stream<String> lines = Files.lines(QUEUES)) {
            return lines.anyMatch(line -> line.strip().split(" +")[0].equals(number)) ? null : ABSENT;
        }
    }
}
