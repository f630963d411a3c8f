package org.xfrmbridge.daemon.cli;

import java.nio.file.Path;
import picocli.CommandLine.Option;

/** Options that most commands have. */
final class DirectoryOption {
    @Option(
            names = "--dir",
            paramLabel = "DIR",
            defaultValue = "${env:XFRM_BRIDGE_DIR:-/run/xfrm-bridge}",
            description = "The bridge's directory, with its sockets. Default: $XFRM_BRIDGE_DIR or /run/xfrm-bridge.")
    private Path directory;

    @Option(names = "--config", paramLabel = "FILE", description = "A properties file with options: attach=eth0, dir=..., one per line.")
    private Path configuration;

    Path directory() {
        return directory.toAbsolutePath();
    }
}
