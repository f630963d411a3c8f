package org.xfrmbridge.daemon.attach;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.xfrmbridge.daemon.os.OsException;
import org.xfrmbridge.daemon.route.Link;
import org.xfrmbridge.daemon.route.Links;
import org.xfrmbridge.daemon.route.RouteSocket;
import org.xfrmbridge.daemon.status.Part;

/** Looks which interfaces of this network namespace a bridge could stand in for. Changes nothing. */
public final class WireTrial {
    private WireTrial() {}

    /** Why it could not stand in for this one; empty if it could. */
    public static Optional<String> refusal(String name) throws OsException {
        try (RouteSocket socket = new RouteSocket()) {
            Links links = new Links(socket);
            Link link = name.length() <= DeviceNames.MAX_NAME ? links.find(name) : null;
            return link == null
                    ? Optional.of("there is no interface " + name + ": \"ip link\" lists those that are")
                    : refusal(links, link);
        }
    }

    private static Optional<String> refusal(Links links, Link link) throws OsException {
        try {
            new WireRules(links).refuse(link);
            return Optional.empty();
        } catch (AttachmentException e) {
            return Optional.of(e.getMessage());
        }
    }

    /** All but loopback and the bridge's own, each with what there is to say of it. */
    public static List<Part> interfaces(String tap) throws OsException {
        List<Part> parts = new ArrayList<>();
        try (RouteSocket socket = new RouteSocket()) {
            Links links = new Links(socket);
            for (Link link : links.all()) {
                if ((link.flags() & Link.LOOPBACK) == 0 && !link.name().equals(tap)) {
                    parts.add(new Part(
                            "interface " + link.name(),
                            "MTU %d, %s, %s"
                                    .formatted(
                                            link.mtuBytes(),
                                            link.isUp() ? "up" : "down",
                                            refusal(links, link)
                                                    .map(reason -> "not for --attach: " + reason)
                                                    .orElse("can be given to --attach"))));
                }
            }
        }
        return parts;
    }
}
