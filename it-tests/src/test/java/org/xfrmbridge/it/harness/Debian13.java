package org.xfrmbridge.it.harness;

import static org.junit.jupiter.api.Assumptions.abort;

import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.xfrmbridge.lab.Command;

/** Files of a Debian 13 with no more than it must have, beside whatever this machine runs. */
public final class Debian13 {
    private static final Duration LIMIT = Duration.ofMinutes(8);

    private Debian13() {}

    /**
     * Makes them, as an archive. Where that cannot be, the test is skipped: there is no network, or, on another
     * distribution, no key of it.
     *
     * @param packages what it has besides, with commas between; may be empty
     */
    public static void make(String packages, Path tar) {
        List<String> line = new ArrayList<>(List.of("mmdebstrap", "--quiet", "--variant=minbase"));
        if (!packages.isEmpty()) {
            line.add("--include=" + packages);
        }
        line.addAll(List.of("trixie", tar.toString()));
        Command.Result made = new Command(line).within(LIMIT).result();
        if (!made.succeeded()) {
            abort("no Debian 13 could be made (is there no network, or no key of it?): " + made.reason());
        }
    }
}
