package org.xfrmbridge.daemon.attach;

import java.io.IOException;
import java.io.Reader;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Objects;
import java.util.Properties;
import org.xfrmbridge.daemon.route.IpConfiguration;
import org.xfrmbridge.daemon.route.Link;
import org.xfrmbridge.daemon.route.RouteMessage;

/**
 * What an attachment changed, in a file of the bridge's directory: enough to undo it without the process that did it.
 *
 * @param namespaceId where it changed that
 * @param original the interface as it was: MAC address, MTU, flags, IPv6 address generation
 * @param configuration what moved
 * @param multicastRoutes of the original interface, which it must not have while it is a bridge port
 */
public record AttachmentRecord(
        NamespaceId namespaceId,
        DeviceNames names,
        Phase phase,
        Link original,
        IpConfiguration configuration,
        List<RouteMessage> multicastRoutes) {
    /**
     * How far it got: while MOVING the configuration is partly here, partly there, and the record's is the true one.
     */
    public enum Phase {
        MOVING,
        ATTACHED
    }

    private static final String FILE = "attachment.journal";

    AttachmentRecord in(Phase newPhase) {
        return new AttachmentRecord(namespaceId, names, newPhase, original, configuration, multicastRoutes);
    }

    static Path file(Path directory) {
        return directory.resolve(FILE);
    }

    /** The record of a directory, or null if nothing is attached by it. */
    public static AttachmentRecord read(Path directory) throws IOException {
        Path file = file(directory);
        if (!Files.exists(file)) {
            return null;
        }
        Properties lines = new Properties();
        try (Reader reader = Files.newBufferedReader(file)) {
            lines.load(reader);
        }
        try {
            return fromLines(lines);
        } catch (IllegalArgumentException | NullPointerException e) {
            throw new IOException(
                    "%s is damaged (%s): give the interface its addresses and routes back by hand, then delete it"
                            .formatted(file, e.getMessage()),
                    e);
        }
    }

    private static AttachmentRecord fromLines(Properties lines) {
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
        return new AttachmentRecord(
                new NamespaceId(
                        Objects.requireNonNull(lines.getProperty("boot"), "no boot"),
                        Long.parseUnsignedLong(lines.getProperty("namespace"))),
                DeviceNames.of(original.name(), lines.getProperty("tap")),
                Phase.valueOf(lines.getProperty("phase")),
                original,
                new IpConfiguration(
                        messages(lines, "address", RouteMessage.NEW_ADDRESS),
                        messages(lines, "route", RouteMessage.NEW_ROUTE),
                        messages(lines, "neighbour", RouteMessage.NEW_NEIGHBOUR)),
                messages(lines, "multicast", RouteMessage.NEW_ROUTE));
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

    /** Writes it so that a crash leaves the old one or the new one, whole. */
    public void write(Path directory) throws IOException {
        Path fresh = directory.resolve(FILE + ".new");
        byte[] text = toLines().getBytes(StandardCharsets.UTF_8);
        try (FileChannel file = FileChannel.open(
                fresh, StandardOpenOption.CREATE, StandardOpenOption.TRUNCATE_EXISTING, StandardOpenOption.WRITE)) {
            for (ByteBuffer left = ByteBuffer.wrap(text); left.hasRemaining(); ) {
                file.write(left);
            }
            file.force(true);
        }
        Files.move(fresh, file(directory), StandardCopyOption.ATOMIC_MOVE);
    }

    public static void delete(Path directory) throws IOException {
        Files.deleteIfExists(file(directory));
    }

    private String toLines() {
        StringBuilder out = new StringBuilder(
                "# What xfrm-bridge moved, as rtnetlink messages: xfrm-bridge detach moves it back.\n");
        line(out, "boot", namespaceId.bootId());
        line(out, "namespace", Long.toUnsignedString(namespaceId.namespace()));
        line(out, "original", original.name());
        line(out, "tap", names.host());
        line(out, "phase", phase.name());
        line(out, "original.index", String.valueOf(original.index()));
        line(out, "original.mac", Long.toHexString(original.mac()));
        line(out, "original.mtu", String.valueOf(original.mtuBytes()));
        line(out, "original.flags", String.valueOf(original.flags()));
        line(out, "original.address-generation", String.valueOf(original.addressGeneration()));
        messageLines(out, "address", configuration.addresses());
        messageLines(out, "route", configuration.routes());
        messageLines(out, "neighbour", configuration.neighbours());
        messageLines(out, "multicast", multicastRoutes);
        return out.toString();
    }

    private static void messageLines(StringBuilder out, String key, List<RouteMessage> messages) {
        for (int i = 0; i < messages.size(); i++) {
            line(out, key + '.' + i, HexFormat.of().formatHex(messages.get(i).payload()));
        }
    }

    private static void line(StringBuilder out, String key, String value) {
        out.append(key).append('=').append(value).append('\n');
    }
}
