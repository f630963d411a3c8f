package org.xfrmbridge.daemon.attach;

import java.io.IOException;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import org.xfrmbridge.daemon.route.Link;

/**
 * The per-interface files of /proc/sys/net/ipv4 and ipv6, as far as they may be read and written: rp_filter, accept_ra
 * and their like.
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

    /** Whether a source must be behind the interface that a packet comes in by, and be so by the packet's mark. */
    static boolean checkSourcesByMark() {
        return isAnySetTo("src_valid_mark", "1") && isAnySetTo("rp_filter", "1");
    }

    private static boolean isAnySetTo(String setting, String value) {
        try (DirectoryStream<Path> devices = Files.newDirectoryStream(Path.of("/proc/sys/net/ipv4/conf"))) {
            for (Path device : devices) {
                if (isSetTo(device.resolve(setting), value)) {
                    return true;
                }
            }
        } catch (IOException | DirectoryIteratorException e) {
            // No /proc: who cannot be asked is not followed.
            return false;
        }
        return false;
    }

    private static boolean isSetTo(Path file, String value) {
        try {
            return Files.readString(file).strip().equals(value);
        } catch (IOException e) {
            // The interface has just gone.
            return false;
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
