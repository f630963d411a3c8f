package org.xfrmbridge.daemon.cli;

import java.nio.file.Path;
import picocli.CommandLine.Option;

/** Where the bridge is that a command is for. */
final class DirectoryOption {
    @Option(
            names = "--dir",
            paramLabel = "DIR",
            defaultValue = "${env:XFRM_BRIDGE_DIR:-/run/xfrm-bridge}",
            description = "The bridge's directory, with its sockets. Default: $XFRM_BRIDGE_DIR or /run/xfrm-bridge.")
    private Path directory;

    Path directory() {
        return directory.toAbsolutePath();
    }
}
