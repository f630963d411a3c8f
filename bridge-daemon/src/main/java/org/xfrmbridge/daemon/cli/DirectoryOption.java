package org.xfrmbridge.daemon.cli;

import java.nio.file.Path;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Option;

/** Where the bridge is that a command is for. */
final class DirectoryOption {
    @Option(
            names = "--dir",
            paramLabel = "DIR",
            defaultValue = "${env:XFRM_BRIDGE_DIR:-/run/xfrm-bridge}",
            description = "The bridge's directory, with its sockets. Default: $XFRM_BRIDGE_DIR or /run/xfrm-bridge.")
    private Path directory;

    /** Whether the environment says what this option would. */
    static boolean isInEnvironment(OptionSpec option) {
        String value = System.getenv("XFRM_BRIDGE_DIR");
        return option.longestName().equals("--dir") && value != null && !value.isEmpty();
    }

    Path directory() {
        return directory.toAbsolutePath();
    }
}
