package org.xfrmbridge.daemon.doctor;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** IKE daemons of this host: those that are installed, and those that run, and whether that is under a bridge. */
final class IkeDaemons {
    private static final String WHAT = "IKE daemons";

    /** By the file that is there, how each is started. */
    private static final Map<String, String> INSTALLED = Map.of(
            "usr/sbin/charon-systemd", "exec -- charon-systemd",
            "usr/lib/ipsec/starter", "exec -- ipsec start --nofork",
            "usr/libexec/ipsec/pluto", "exec -- ipsec pluto --nofork",
            "usr/sbin/iked", "exec -- iked -d",
            "usr/sbin/racoon", "exec -- racoon -F");

    private static final List<String> PROGRAMS = List.of("charon-systemd", "charon", "pluto", "iked", "racoon");
    private static final String LIBRARY = "libxfrm-bridge";
    private static final String DIRECTORY = "XFRM_BRIDGE_DIR=";

    private final Path root;

    /** @param root of the file system */
    IkeDaemons(Path root) {
        this.root = root;
    }

    List<Diagnosis> look() throws IOException {
        List<Diagnosis> found = new ArrayList<>();
        try (DirectoryStream<Path> processes = Files.newDirectoryStream(root.resolve("proc"), "[0-9]*")) {
            for (Path process : processes) {
                if (PROGRAMS.contains(text(process.resolve("comm")).strip()) && isHere(process)) {
                    found.add(running(process));
                }
            }
        }
        if (found.isEmpty()) {
            found.add(installed());
        }
        return found;
    }

    private Diagnosis installed() {
        String there = INSTALLED.entrySet().stream()
                .filter(daemon -> Files.exists(root.resolve(daemon.getKey())))
                .map(Map.Entry::getValue)
                .sorted()
                .collect(Collectors.joining(", or "));
        return there.isEmpty()
                ? Diagnosis.note(
                        WHAT, "none that is known here is installed: strongSwan, libreswan or OpenIKED will do")
                : Diagnosis.ok(WHAT, "none runs; once the bridge does: xfrm-bridge " + there);
    }

    /** In this network namespace, as far as that can be seen. */
    private boolean isHere(Path process) {
        Optional<String> other = namespace(process);
        return other.isEmpty() || other.equals(namespace(root.resolve("proc/self")));
    }

    private static Optional<String> namespace(Path process) {
        try {
            return Optional.of(Files.readSymbolicLink(process.resolve("ns/net")).toString());
        } catch (IOException e) {
            return Optional.empty();
        }
    }

    private static Diagnosis running(Path process) {
        String name = text(process.resolve("comm")).strip();
        String unit = unit(process);
        String what = "%s (process %s%s)"
                .formatted(name, process.getFileName(), unit == null ? "" : ", " + unit + ".service");
        String environment = text(process.resolve("environ"));
        if (environment.isEmpty()) {
            return Diagnosis.unseen(what, "whether it speaks to a bridge is shown to root only");
        }
        List<String> variables = Stream.of(environment.split("\0")).toList();
        if (variables.stream().anyMatch(variable -> variable.startsWith("LD_PRELOAD=") && variable.contains(LIBRARY))) {
            return Diagnosis.ok(
                    what,
                    "speaks to the bridge in "
                            + variables.stream()
                                    .filter(variable -> variable.startsWith(DIRECTORY))
                                    .map(variable -> variable.substring(DIRECTORY.length()))
                                    .findFirst()
                                    .orElse("/run/xfrm-bridge"));
        }
        return Diagnosis.wrong(
                what,
                "speaks to the kernel's IPsec and not to a bridge: "
                        + (unit == null
                                ? "end it, and start it under xfrm-bridge exec"
                                : "xfrm-bridge enable %1$s, then systemctl restart %1$s".formatted(unit)));
    }

    /** Of systemd, without its suffix; null for none. */
    private static String unit(Path process) {
        return text(process.resolve("cgroup"))
                .lines()
                .filter(line -> line.endsWith(".service"))
                .map(line -> line.substring(line.lastIndexOf('/') + 1, line.length() - ".service".length()))
                .findFirst()
                .orElse(null);
    }

    /** Empty for what may not be read, or is not there. */
    private static String text(Path file) {
        try {
            return new String(Files.readAllBytes(file), StandardCharsets.ISO_8859_1);
        } catch (IOException e) {
            return "";
        }
    }
}
