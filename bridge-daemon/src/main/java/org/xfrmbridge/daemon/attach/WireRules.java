package org.xfrmbridge.daemon.attach;

import java.nio.file.Files;
import java.nio.file.Path;
import org.xfrmbridge.daemon.os.CurrentProcess;
import org.xfrmbridge.daemon.os.OsException;
import org.xfrmbridge.daemon.route.Link;
import org.xfrmbridge.daemon.route.Links;

/** What can be attached to, and how a person is told that something cannot. */
final class WireRules {
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
        if (!original.isEthernet()) {
            throw new AttachmentException(
                    names.original() + " is no Ethernet interface: attach to the one that carries the IPsec traffic");
        }
        refuseOurOwn(original);
        if (original.master() != 0) {
            throw new AttachmentException("%s is a port of %s: attach to %2$s, or take it out first"
                    .formatted(names.original(), links.find(original.master()).name()));
        }
        if (Files.exists(Path.of("/sys/class/net", names.original(), "phy80211"))) {
            throw new AttachmentException(
                    names.original() + " is wireless, which cannot be a bridge port: attach to a wired interface");
        }
        for (String name : new String[] {names.host(), names.network(), names.bridge()}) {
            if (links.find(name) != null) {
                throw new AttachmentException(
                        "there is an interface %s already: choose another name with --tap".formatted(name));
            }
        }
        return original;
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
