package org.xfrmbridge.daemon.attach;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Set;
import org.xfrmbridge.daemon.os.CurrentProcess;
import org.xfrmbridge.daemon.os.OsException;
import org.xfrmbridge.daemon.route.Link;
import org.xfrmbridge.daemon.route.Links;

/** What can be attached to, and how a person is told that something cannot. */
final class WireRules {
    /** They take all frames of the interface below them, which can then be no port. */
    private static final Set<String> TAKE_FRAMES = Set.of("macvlan", "macvtap", "ipvlan", "ipvtap");

    private static final String IN_STACK = "run without --attach";

    private final Links links;

    WireRules(Links links) {
        this.links = links;
    }

    /** Checks before anything is changed; returns the interface. */
    Link check(DeviceNames names) throws AttachmentException, OsException {
        if (!Files.exists(Path.of("/dev/net/tun"))) {
            throw new AttachmentException(
                    "there is no /dev/net/tun: load the tun module, or give the container --device /dev/net/tun");
        }
        Link original = names.original().length() <= DeviceNames.MAX_NAME ? links.find(names.original()) : null;
        if (original == null) {
            throw new AttachmentException(
                    "there is no interface " + names.original() + ": \"ip link\" lists those that are");
        }
        refuse(original);
        for (String name : new String[] {names.host(), names.network(), names.bridge()}) {
            if (links.find(name) != null) {
                throw new AttachmentException(
                        "there is an interface %s already: choose another name with --tap".formatted(name));
            }
        }
        return original;
    }

    /** Of which a bridge cannot be in front, whatever is to become of it. */
    void refuse(Link original) throws AttachmentException, OsException {
        if (!original.isEthernet()) {
            throw new AttachmentException(
                    original.name() + " is no Ethernet interface: attach to the one that carries the IPsec traffic");
        }
        refuseOurOwn(original);
        if (original.master() != 0) {
            throw new AttachmentException("%s is a port of %s: run without --attach, or take it out first"
                    .formatted(original.name(), links.find(original.master()).name()));
        }
        refuseKind(original);
        if (Files.exists(Path.of("/sys/class/net", original.name(), "phy80211"))) {
            throw new AttachmentException(
                    original.name() + " is wireless, which cannot be a bridge port: attach to a wired interface");
        }
    }

    private void refuseKind(Link original) throws AttachmentException, OsException {
        if ("bridge".equals(original.kind())) {
            throw new AttachmentException(
                    "%s is a bridge, which cannot be a port of another one: %s, or attach to its port that leads out"
                            .formatted(original.name(), IN_STACK));
        }
        if (original.kind() != null && TAKE_FRAMES.contains(original.kind())) {
            throw new AttachmentException("%s is of kind %s, which gets frames for its own address alone: %s"
                    .formatted(original.name(), original.kind(), IN_STACK));
        }
        for (Link above : links.above(original.index())) {
            if (above.kind() != null && TAKE_FRAMES.contains(above.kind())) {
                throw new AttachmentException("%s is below %s, of kind %s, which takes its frames: %s, or delete %2$s"
                        .formatted(original.name(), above.name(), above.kind(), IN_STACK));
            }
        }
    }

    /**
     * Only a kernel knows whether what is not in this namespace has it. For a moment it is a port.
     *
     * @param bridge that is down
     */
    void requireFree(Link original, Link bridge) throws AttachmentException, OsException {
        try {
            links.addPort(bridge.index(), original.index());
        } catch (OsException e) {
            throw new AttachmentException(
                    "%s cannot be a bridge's port (%s), as another program or a macvlan has its frames: %s"
                            .formatted(original.name(), e.getMessage(), IN_STACK),
                    e);
        }
        links.removeMaster(original.index());
    }

    /**
     * The TAP of another bridge would take a second one in front of it, and its eth0 looks like the port of any Linux
     * bridge.
     */
    private void refuseOurOwn(Link original) throws AttachmentException, OsException {
        if (isHostTap(original.name())) {
            throw new AttachmentException(
                    "%s belongs to a bridge already: use that one, or end it".formatted(original.name()));
        }
        Link master = original.master() == 0 ? null : links.find(original.master());
        if (master != null && master.name().endsWith(DeviceNames.BRIDGE_SUFFIX)) {
            String host = master.name().substring(0, master.name().length() - DeviceNames.BRIDGE_SUFFIX.length());
            if (isHostTap(host)) {
                throw new AttachmentException(
                        ("%s has a bridge already, which made %s: use that one, or end it (\"xfrm-bridge detach\" if "
                                        + "it was killed)")
                                .formatted(original.name(), host));
            }
        }
    }

    private boolean isHostTap(String name) throws OsException {
        if (name.isEmpty() || name.length() > DeviceNames.MAX_TAP_NAME) {
            return false;
        }
        DeviceNames names = DeviceNames.of(name, name);
        Link network = links.find(names.network());
        Link bridge = links.find(names.bridge());
        return network != null && bridge != null && network.master() == bridge.index();
    }

    static AttachmentException explain(OsException reason, DeviceNames names) {
        String message = switch (reason.errno()) {
            case OsException.EPERM, OsException.EACCES ->
                CurrentProcess.effectiveUserId() == 0
                        ? "making a TAP is not permitted: the container needs NET_ADMIN and /dev/net/tun"
                        : "attaching needs root: run it with sudo";
            case OsException.EBUSY ->
                "%s is in use by another process: end it, or choose another name with --tap".formatted(names.host());
            default -> "the TAPs of %s could not be opened: %s".formatted(names.original(), reason.getMessage());
        };
        return new AttachmentException(message, reason);
    }
}
