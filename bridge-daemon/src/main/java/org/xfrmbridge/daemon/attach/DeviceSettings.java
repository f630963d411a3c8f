package org.xfrmbridge.daemon.attach;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import org.xfrmbridge.daemon.route.Link;

/**
 * The per-interface files of /proc/sys/net/ipv4 and ipv6, as far as they may be written: rp_filter, accept_ra and their
 * like.
 */
final class DeviceSettings {
    private DeviceSettings() {}

    static void copy(Link from, Link to) {
        for (String family : new String[] {"ipv4", "ipv6"}) {
            Path base = Path.of("/proc/sys/net", family, "conf");
            copyFiles(base.resolve(from.name()), base.resolve(to.name()));
        }
    }

    /** Takes an interface out of IPv6 where that is allowed. Else it has no address, and sends nothing of itself. */
    static void disableIpv6(String name) {
        setIpv6Disabled(name, "1");
    }

    /** Takes an interface into IPv6 where that is allowed, if new ones are not in it. */
    static void enableIpv6(String name) {
        setIpv6Disabled(name, "0");
    }

    private static void setIpv6Disabled(String name, String value) {
        Path file = Path.of("/proc/sys/net/ipv6/conf", name, "disable_ipv6");
        if (Files.isWritable(file)) {
            try {
                if (!Files.readString(file).strip().equals(value)) {
                    Files.writeString(file, value);
                }
            } catch (IOException e) {
                // Not allowed after all.
                return;
            }
        }
    }

    private static void copyFiles(Path from, Path to) {
        try (DirectoryStream<Path> files = Files.newDirectoryStream(from)) {
            for (Path file : files) {
                copyFile(file, to.resolve(file.getFileName()));
            }
        } catch (IOException e) {
            // A kernel without that family, or no /proc: the interface then keeps the defaults.
            return;
        }
    }

    private static void copyFile(Path from, Path to) {
        if (!Files.isWritable(to)) {
            return;
        }
        try {
            String value = Files.readString(from);
            if (!value.equals(Files.readString(to))) {
                Files.writeString(to, value);
            }
        } catch (IOException e) {
            // Some cannot be read until they are set (stable_secret), some may only be written in the first namespace.
            return;
        }
    }
}
