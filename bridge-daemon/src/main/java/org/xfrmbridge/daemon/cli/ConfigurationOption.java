package org.xfrmbridge.daemon.cli;

import java.nio.file.Path;
import picocli.CommandLine.Option;

/** Only described here: {@link Main} reads the file before the command line. The exec script does not. */
final class ConfigurationOption {
    @Option(
            names = "--config",
            paramLabel = "FILE",
            description = "A properties file with options: attach=eth0, dir=..., one per line.")
    private Path file;
}
