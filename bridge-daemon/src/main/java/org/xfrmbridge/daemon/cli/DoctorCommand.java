package org.xfrmbridge.daemon.cli;

import java.io.IOException;
import java.util.concurrent.Callable;
import org.xfrmbridge.daemon.doctor.Examination;
import org.xfrmbridge.daemon.doctor.Report;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Shows what a host has and lacks. */
@Command(
        name = "doctor",
        mixinStandardHelpOptions = true,
        description = {
            "Shows what this host has of what a bridge needs, and what to do where it has not; which IKE daemons are "
                    + "there and whether they speak to a bridge; which interfaces --attach could take. It changes "
                    + "nothing: what has to be tried is tried in a network namespace of its own.",
            "\"?\" is what cannot be seen from here: root sees most."
        },
        exitCodeListHeading = Main.EXIT_CODES,
        exitCodeList = {" 0:nothing hinders a bridge", " 1:something does, see WRONG", " 2:it was asked wrongly"},
        footer = {"", "Example:", "  xfrm-bridge doctor", "  xfrm-bridge doctor --attach eth0"})
final class DoctorCommand implements Callable<Integer> {
    @Mixin
    private QueryOptions options;

    @Option(
            names = "--attach",
            paramLabel = "IFACE",
            description = "Looks whether a bridge could stand in for this interface, instead of in the host's stack.")
    private String attached;

    @Option(
            names = "--tap",
            paramLabel = "NAME",
            defaultValue = "xfrm0",
            description = "The bridge's interface (default: ${DEFAULT-VALUE}).")
    private String tap;

    @Override
    public Integer call() throws IOException {
        Report report = new Examination(options.directory(), attached, tap).run();
        System.out.print(options.json() ? report.toJson() : report.toString());
        return report.exitCode();
    }
}
