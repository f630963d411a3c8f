package org.xfrmbridge.daemon.cli;

import java.nio.file.Path;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Which bridge is asked, and how its answer is shown. */
final class QueryOptions {
    @Mixin
    private DirectoryOption directory;

    @Mixin
    private ConfigurationOption configuration;

    @Option(names = "--json", description = "As one JSON object.")
    private boolean json;

    Path directory() {
        return directory.directory();
    }

    boolean json() {
        return json;
    }
}
