package org.xfrmbridge.daemon.attach;

import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Properties;
import org.xfrmbridge.daemon.route.IpConfiguration;
import org.xfrmbridge.daemon.route.Link;
import org.xfrmbridge.daemon.route.RouteMessage;

/**
 * What taking the place of an interface changed.
 *
 * @param namespaceId where it changed that
 * @param original the interface as it was: MAC address, MTU, flags, IPv6 address generation
 * @param configuration what moved
 * @param multicastRoutes of the original interface, which it must not have while it is a bridge port
 * @param mergesDatagrams whether the original interface was told to merge what it receives, which it did not before
 */
record WireRecord(
        NamespaceId namespaceId,
        DeviceNames names,
        Phase phase,
        Link original,
        IpConfiguration configuration,
        List<RouteMessage> multicastRoutes,
        boolean mergesDatagrams)
        implements AttachmentRecord {
    /**
     * How far it got: while MOVING the configuration is partly here, partly there, and the record's is the true one.
     */
    enum Phase {
        MOVING,
        ATTACHED
    }

    WireRecord in(Phase newPhase) {
        return new WireRecord(namespaceId, names, newPhase, original, configuration, multicastRoutes, mergesDatagrams);
    }

    WireRecord merging(boolean merges) {
        return new WireRecord(namespaceId, names, phase, original, configuration, multicastRoutes, merges);
    }

    static WireRecord of(NamespaceId namespaceId, Properties lines) {
        Link original = new Link(
                number(lines, "original.index"),
                lines.getProperty("original"),
                Long.parseLong(lines.getProperty("original.mac"), 16),
                number(lines, "original.mtu"),
                number(lines, "original.flags"),
                0,
                null,
                Link.ETHERNET,
                number(lines, "original.address-generation"));
        return new WireRecord(
                namespaceId,
                DeviceNames.of(original.name(), lines.getProperty("tap")),
                Phase.valueOf(lines.getProperty("phase")),
                original,
                new IpConfiguration(
                        messages(lines, "address", RouteMessage.NEW_ADDRESS),
                        messages(lines, "route", RouteMessage.NEW_ROUTE),
                        messages(lines, "neighbour", RouteMessage.NEW_NEIGHBOUR)),
                messages(lines, "multicast", RouteMessage.NEW_ROUTE),
                Boolean.parseBoolean(lines.getProperty("original.merges-datagrams")));
    }

    private static int number(Properties lines, String key) {
        return Integer.parseInt(lines.getProperty(key));
    }

    private static List<RouteMessage> messages(Properties lines, String key, int type) {
        List<RouteMessage> found = new ArrayList<>();
        String line;
        while ((line = lines.getProperty(key + '.' + found.size())) != null) {
            found.add(new RouteMessage(type, HexFormat.of().parseHex(line)));
        }
        return found;
    }

    @Override
    public String label() {
        return original.name();
    }

    @Override
    public void describe(StringBuilder out) {
        AttachmentRecord.line(out, "original", original.name());
        AttachmentRecord.line(out, "tap", names.host());
        AttachmentRecord.line(out, "phase", phase.name());
        AttachmentRecord.line(out, "original.index", String.valueOf(original.index()));
        AttachmentRecord.line(out, "original.mac", Long.toHexString(original.mac()));
        AttachmentRecord.line(out, "original.mtu", String.valueOf(original.mtuBytes()));
        AttachmentRecord.line(out, "original.flags", String.valueOf(original.flags()));
        AttachmentRecord.line(out, "original.address-generation", String.valueOf(original.addressGeneration()));
        AttachmentRecord.line(out, "original.merges-datagrams", String.valueOf(mergesDatagrams));
        messageLines(out, "address", configuration.addresses());
        messageLines(out, "route", configuration.routes());
        messageLines(out, "neighbour", configuration.neighbours());
        messageLines(out, "multicast", multicastRoutes);
    }

    private static void messageLines(StringBuilder out, String key, List<RouteMessage> messages) {
        for (int i = 0; i < messages.size(); i++) {
            AttachmentRecord.line(
                    out, key + '.' + i, HexFormat.of().formatHex(messages.get(i).payload()));
        }
    }
}
