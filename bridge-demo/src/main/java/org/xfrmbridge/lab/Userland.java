package org.xfrmbridge.lab;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Which release's programs run beside the bridges: this machine's, or those unpacked in the directory that the system
 * property {@code userland} names. These are laid over this machine's {@code /usr} for each command alone.
 */
public final class Userland {
    private static final String PROPERTY = "userland";

    private Userland() {}

    private static Optional<Path> unpacked() {
        return Optional.ofNullable(System.getProperty(PROPERTY))
                .map(directory -> Path.of(directory).toAbsolutePath());
    }

    /** Why commands cannot see it, if they cannot. */
    public static Optional<String> missing() {
        return unpacked()
                .filter(directory -> !Files.isDirectory(directory.resolve("usr"))
                        || !new Command(seenBy("true")).result().succeeded())
                .map(directory -> "needs a release unpacked in " + directory
                        + " (./check does that with Debian 13, where its packages can be had), and overlay mounts");
    }

    /** The line of a shell script after which commands see this release; they alone, if mounts are theirs alone. */
    public static String enter() {
        return unpacked()
                .map(directory -> "mount -t overlay overlay -o lowerdir='" + directory + "/usr:/usr' /usr\n")
                .orElse("");
    }

    /** The command line that runs a command so that it, and all that it starts, sees this release. */
    public static List<String> seenBy(String... command) {
        List<String> line = new ArrayList<>();
        if (unpacked().isPresent()) {
            line.addAll(List.of("unshare", "--mount", "sh", "-ec", enter() + "exec \"$@\"", "sh"));
        }
        line.addAll(List.of(command));
        return line;
    }
}
