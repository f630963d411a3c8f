package org.xfrmbridge.daemon.doctor;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** How file systems are mounted: proc(5), {@code /proc/self/mounts}. */
final class Mounts {
    private static final int POINT = 1;
    private static final int OPTIONS = 3;

    private final List<String[]> mounts;

    /** @throws IOException if that is no text of this kind */
    Mounts(Path table) throws IOException {
        mounts = Files.readAllLines(table).stream()
                .map(line -> line.split(" "))
                .filter(columns -> columns.length > OPTIONS)
                .toList();
    }

    /** Whether the file system that a path is on has this option: "noexec", "ro". */
    boolean have(Path path, String option) {
        String[] found = null;
        for (String[] mount : mounts) {
            Path point = Path.of(mount[POINT].replace("\\040", " "));
            // The later of two at one place covers the other.
            if (path.startsWith(point)
                    && (found == null
                            || point.getNameCount() >= Path.of(found[POINT]).getNameCount())) {
                found = mount;
            }
        }
        return found != null && List.of(found[OPTIONS].split(",")).contains(option);
    }
}
