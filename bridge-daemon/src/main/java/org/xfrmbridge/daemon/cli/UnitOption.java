package org.xfrmbridge.daemon.cli;

import java.io.IOException;
import java.nio.file.Path;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Which daemon's unit of systemd a command is for. */
final class UnitOption {
    @Parameters(
            paramLabel = "UNIT",
            description = "The daemon's unit: strongswan, strongswan-starter, ipsec, openiked, or another one.")
    private String unit;

    @Option(
            names = "--root",
            paramLabel = "DIR",
            defaultValue = "/",
            description = "Of a system that does not run, in this directory.")
    private Path root;

    DropIn dropIn() throws IOException {
        return DropIn.of(root, unit);
    }
}
