package org.xfrmbridge.daemon.demo;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.stream.Stream;
import org.xfrmbridge.daemon.os.CurrentProcess;

/** What this machine has to offer. */
final class Machine {
    private static final Path TUN = Path.of("/dev/net/tun");
    private static final Path IPV6 = Path.of("/proc/sys/net/ipv6");
    /** What {@code xfrm-bridge} says of itself, because no class path can tell where the script is. */
    private static final String LAUNCHER_PROPERTY = "xfrm-bridge.launcher";

    private Machine() {}

    /** Throws, saying what to do, if the demo can't run here. */
    static void require() throws DemoException {
        if (CurrentProcess.effectiveUserId() != 0) {
            throw new DemoException("the demo makes network namespaces, which only root may: run it as root");
        }
        require("ip", "iproute2");
        require("ping", "iputils-ping");
        require("setsid", "util-linux");
        if (!Files.exists(TUN)) {
            throw new DemoException(
                    "there is no /dev/net/tun: load the kernel module tun, or give the container that device");
        }
        try {
            FileChannel.open(TUN, StandardOpenOption.READ, StandardOpenOption.WRITE)
                    .close();
        } catch (IOException e) {
            throw new DemoException(
                    "/dev/net/tun cannot be opened: load the kernel module tun, or allow the container that device");
        }
        launcher();
    }

    private static void require(String tool, String debianPackage) throws DemoException {
        if (!has(tool)) {
            throw new DemoException(
                    "the command " + tool + " is missing: install it (Debian: apt-get install " + debianPackage + ")");
        }
    }

    static boolean hasCharon() {
        return has("charon-systemd") && has("swanctl") && has("unshare");
    }

    static boolean has(String tool) {
        return Stream.of(searchPath().split(":")).anyMatch(directory -> Files.isExecutable(Path.of(directory, tool)));
    }

    /** Where commands are looked for: daemons too, which are not in everybody's PATH. */
    static String searchPath() {
        return System.getenv().getOrDefault("PATH", "/usr/bin:/bin") + ":/usr/local/sbin:/usr/sbin:/sbin";
    }

    static boolean hasIpv6() {
        return Files.isDirectory(IPV6);
    }

    /** The {@code xfrm-bridge} script this program was started by. */
    static String launcher() throws DemoException {
        String launcher = System.getProperty(LAUNCHER_PROPERTY);
        if (launcher == null) {
            throw new DemoException(
                    "the demo starts other commands of the xfrm-bridge script: start it as ./xfrm-bridge demo");
        }
        return Path.of(launcher).toAbsolutePath().normalize().toString();
    }
}
