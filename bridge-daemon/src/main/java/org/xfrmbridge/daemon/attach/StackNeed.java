package org.xfrmbridge.daemon.attach;

import java.nio.file.Files;
import java.nio.file.Path;
import org.xfrmbridge.daemon.nft.StackNames;
import org.xfrmbridge.daemon.os.CurrentProcess;
import org.xfrmbridge.daemon.os.OsException;
import org.xfrmbridge.daemon.route.Link;
import org.xfrmbridge.daemon.route.Links;

/** What a place in the host's stack needs of a kernel, and how a person is told that it is missing. */
enum StackNeed {
    TAP("TAP devices", "tun"),
    ROUTING("policy routing", null),
    SOCKETS("raw sockets", null),
    QUEUE("queues of netfilter", "nfnetlink_queue"),
    NFTABLES("nftables", "nf_tables");

    private static final String WAY_OUT = "stand in for one interface with --attach IFACE";

    private final String name;
    private final String module;

    StackNeed(String name, String module) {
        this.name = name;
        this.module = module;
    }

    /** Makes something that needs it. */
    interface Opening<T> {
        T open() throws OsException;
    }

    /** Before anything is changed. */
    static void check(Links links, StackRoutes routes, StackNames names) throws AttachmentException, OsException {
        if (!Files.exists(Path.of("/dev/net/tun"))) {
            throw new AttachmentException(
                    "there is no /dev/net/tun: load the tun module, or give the container --device /dev/net/tun");
        }
        if (links.find(names.tap()) != null) {
            throw new AttachmentException(
                    "there is an interface %s already: choose another name with --tap".formatted(names.tap()));
        }
        Link loopback = links.find("lo");
        if (loopback == null || !loopback.isUp()) {
            throw new AttachmentException(
                    "the interface lo is down, and a kernel takes no route to a gateway then: ip link set lo up");
        }
        if (routes.isTableInUse()) {
            throw new AttachmentException(
                    "routing table %d has routes already, of another bridge or of others: end it, or %s"
                            .formatted(StackNames.ROUTE_TABLE, WAY_OUT));
        }
    }

    <T> T open(Opening<T> opening) throws AttachmentException {
        try {
            return opening.open();
        } catch (OsException e) {
            throw new AttachmentException(reason(e), e);
        }
    }

    private String reason(OsException reason) {
        return switch (reason.errno()) {
            case OsException.EPERM, OsException.EACCES ->
                CurrentProcess.effectiveUserId() == 0
                        ? "%s are not permitted: the container needs NET_ADMIN and NET_RAW".formatted(name)
                        : "attaching needs root: run it with sudo";
            case OsException.EBUSY -> "%s are in use by another process: end it".formatted(name);
            default ->
                "there is no place in the host's stack, for want of %s (%s): %s%s"
                        .formatted(
                                name,
                                reason.getMessage(),
                                module == null ? "" : "load the module " + module + ", or ",
                                WAY_OUT);
        };
    }
}
