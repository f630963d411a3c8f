package org.xfrmbridge.daemon.doctor;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * Whether the kernel itself does ESP, as its files tell. It is not asked, as it would load the module for the asking.
 */
final class KernelEsp {
    private static final String WHAT = "ESP of the kernel";
    private static final String OTHERS = "daemons that are not under exec use that";
    private static final List<String> SETTINGS = List.of("etc/modprobe.d", "run/modprobe.d", "usr/lib/modprobe.d");

    private final Path root;
    private final Path modules;

    /**
     * @param root of the file system
     * @param release of the kernel
     */
    KernelEsp(Path root, String release) {
        this.root = root;
        this.modules = root.resolve("lib/modules").resolve(release);
    }

    Diagnosis look() {
        if (has(root.resolve("proc/modules"), "esp4 ")) {
            return Diagnosis.note(WHAT, "there (module esp4): " + OTHERS);
        }
        if (has(modules.resolve("modules.builtin"), "kernel/net/ipv4/esp4.ko")) {
            return Diagnosis.note(WHAT, "there (built in): " + OTHERS);
        }
        if (!Files.exists(root.resolve("proc/modules"))) {
            return Diagnosis.unseen(WHAT, "this kernel has no modules, and does not say what is built in");
        }
        if (!Files.exists(modules.resolve("modules.dep"))) {
            return Diagnosis.unseen(
                    WHAT, "not loaded; whether it can be is not seen here, as there is no " + shown(modules));
        }
        if (!has(modules.resolve("modules.dep"), "kernel/net/ipv4/esp4.ko")) {
            return Diagnosis.ok(WHAT, "not there: the bridge does it");
        }
        return blocked()
                .map(file -> Diagnosis.ok(WHAT, "blocked by " + shown(file) + ": the bridge does it"))
                .orElseGet(() -> Diagnosis.note(WHAT, "not loaded, but would be (module esp4): " + OTHERS));
    }

    private Path shown(Path file) {
        return Path.of("/").resolve(root.relativize(file));
    }

    /** The file that says so. */
    private Optional<Path> blocked() {
        for (String directory : SETTINGS) {
            try (Stream<Path> files = Files.list(root.resolve(directory))) {
                Optional<Path> file = files.filter(each -> each.toString().endsWith(".conf"))
                        .sorted()
                        .filter(KernelEsp::blocks)
                        .findFirst();
                if (file.isPresent()) {
                    return file;
                }
            } catch (IOException e) {
                // Not there.
            }
        }
        return Optional.empty();
    }

    private static boolean blocks(Path file) {
        try (Stream<String> lines = Files.lines(file)) {
            return lines.anyMatch(line -> line.strip().matches("install\\s+esp4\\s+\\S*/(false|true)\\b.*"));
        } catch (IOException e) {
            return false;
        }
    }

    private static boolean has(Path file, String start) {
        try (Stream<String> lines = Files.lines(file)) {
            return lines.anyMatch(line -> line.startsWith(start));
        } catch (IOException e) {
            return false;
        }
    }
}
