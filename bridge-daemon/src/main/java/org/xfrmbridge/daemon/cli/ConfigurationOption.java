package org.xfrmbridge.daemon.cli;

import java.nio.file.Path;
import picocli.CommandLine.Option;

/** Only described here: {@link Main} reads the file before the command line. The exec script does not. */
final class ConfigurationOption {
    @Option(
            names = "--config",
            paramLabel = "FILE",
            description = "A file with options of run, one on a line: attach=eth0. What the command line or the "
                    + "environment says goes before it. Default: /etc/xfrm-bridge/bridge.conf, if it is there.")
    private Path file;
}
