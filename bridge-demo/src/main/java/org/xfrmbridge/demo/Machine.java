package org.xfrmbridge.demo;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.xfrmbridge.daemon.os.CurrentProcess;
import org.xfrmbridge.lab.Command;
import org.xfrmbridge.lab.LabException;

/** What this machine has to offer. */
final class Machine {
    private static final Path TUN = Path.of("/dev/net/tun");

    private Machine() {}

    /** Throws, saying what to do, if the demo can't run here. */
    static void require() {
        if (CurrentProcess.effectiveUserId() != 0) {
            throw new LabException("the demo makes network namespaces, which only root may: run it as root");
        }
        requireTools(Map.of("ip", "iproute2", "ping", "iputils-ping", "setsid", "util-linux"));
        if (!Files.exists(TUN)) {
            throw new LabException(
                    "there is no /dev/net/tun: load the kernel module tun, or give the container that device");
        }
        try {
            FileChannel.open(TUN, StandardOpenOption.READ, StandardOpenOption.WRITE)
                    .close();
        } catch (IOException e) {
            throw new LabException(
                    "/dev/net/tun cannot be opened: load the kernel module tun, or allow the container that device");
        }
    }

    /** @param debianPackages by the tool that each has */
    private static void requireTools(Map<String, String> debianPackages) {
        List<String> missing = debianPackages.keySet().stream()
                .filter(tool -> !has(tool))
                .sorted()
                .toList();
        if (!missing.isEmpty()) {
            throw new LabException("these commands are missing: " + String.join(", ", missing)
                    + "; install them (Debian: apt-get install "
                    + missing.stream().map(debianPackages::get).collect(Collectors.joining(" ")) + ")");
        }
    }

    static boolean hasCharon() {
        return has("charon-systemd") && has("swanctl") && has("unshare");
    }

    static boolean has(String tool) {
        return Command.find(tool).isPresent();
    }
}
