package org.xfrmbridge.daemon.cli;

import java.io.File;
import java.io.IOException;
import java.nio.file.DirectoryNotEmptyException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.stream.Stream;

/** The file that makes a daemon's unit of systemd speak to a bridge: systemd.unit(5), "drop-in". */
final class DropIn {
    private static final List<String> KNOWN = List.of("strongswan", "strongswan-starter", "ipsec", "openiked", "iked");
    private static final List<String> UNITS =
            List.of("etc/systemd/system", "run/systemd/system", "usr/lib/systemd/system", "lib/systemd/system");
    private static final String SUFFIX = ".service";

    private final Path root;
    private final String unit;

    private DropIn(Path root, String unit) {
        this.root = root;
        this.unit = unit;
    }

    /**
     * Of a unit that is there, or has one.
     *
     * @param root of the system whose unit it is
     * @param name of the unit, with or without its suffix
     */
    static DropIn of(Path root, String name) throws IOException {
        String unit = name.endsWith(SUFFIX) ? name : name + SUFFIX;
        if (!unit.matches("[A-Za-z0-9:_.@-]+")) {
            throw new IOException(name + " is not the name of a unit: see systemctl list-unit-files");
        }
        DropIn dropIn = new DropIn(root, unit);
        if (!isThere(root, unit) && !Files.exists(dropIn.file())) {
            List<String> others = KNOWN.stream()
                    .filter(known -> isThere(root, known + SUFFIX))
                    .toList();
            throw new IOException("there is no unit %s: %s"
                    .formatted(
                            unit,
                            others.isEmpty()
                                    ? "install the daemon first"
                                    : "name one that is there, as " + String.join(" or ", others)));
        }
        return dropIn;
    }

    /** A unit with an instance is there if its template is. */
    private static boolean isThere(Path root, String unit) {
        String template = unit.replaceFirst("@.*", "@" + SUFFIX);
        return UNITS.stream()
                .map(root::resolve)
                .flatMap(units -> Stream.of(units.resolve(unit), units.resolve(template)))
                .anyMatch(Files::exists);
    }

    String unit() {
        return unit;
    }

    private Path file() {
        return root.resolve("etc/systemd/system").resolve(unit + ".d").resolve("xfrm-bridge.conf");
    }

    /**
     * @param bridge the bridge's unit
     * @param library to be preloaded
     * @param directory the bridge's
     */
    void write(String bridge, Path library, Path directory) throws IOException {
        for (Path path : List.of(library, directory)) {
            if (!path.toString().matches("[A-Za-z0-9/._@+~-]+")) {
                throw new IOException("a unit cannot name " + path + ": take a path of plain letters");
            }
        }
        Files.createDirectories(file().getParent());
        Path fresh = file().resolveSibling("xfrm-bridge.conf.new");
        Files.writeString(
                fresh, """
                # Of "xfrm-bridge enable"; "xfrm-bridge disable %1$s" takes it away.
                [Unit]
                Wants=%2$s.service
                After=%2$s.service
                # Without it the daemon would speak to the kernel's IPsec.
                AssertPathExists=%3$s

                [Service]
                Environment=LD_PRELOAD=%3$s XFRM_BRIDGE_DIR=%4$s
                """.formatted(unit.substring(0, unit.length() - SUFFIX.length()), bridge, library, directory));
        Files.move(fresh, file(), StandardCopyOption.ATOMIC_MOVE);
        reload();
    }

    /** @return whether there was one */
    boolean remove() throws IOException {
        if (!Files.deleteIfExists(file())) {
            return false;
        }
        try {
            Files.delete(file().getParent());
        } catch (DirectoryNotEmptyException | NoSuchFileException e) {
            // There are drop-ins of others.
            return true;
        } finally {
            reload();
        }
        return true;
    }

    /** A system that does not run reads its units when it starts. */
    private void reload() throws IOException {
        if (!root.equals(Path.of("/")) || !Files.isDirectory(Path.of("/run/systemd/system"))) {
            return;
        }
        Process systemctl = new ProcessBuilder("systemctl", "daemon-reload")
                .redirectInput(new File("/dev/null"))
                .redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                .start();
        try {
            if (systemctl.waitFor() != 0) {
                throw new IOException("systemd did not read its units again: systemctl daemon-reload");
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted while systemd was to read its units again", e);
        }
    }
}
