package org.xfrmbridge.daemon.cli;

import java.io.IOException;
import java.util.List;
import java.util.concurrent.Callable;
import org.xfrmbridge.daemon.firewall.Finding;
import org.xfrmbridge.daemon.firewall.FirewallCheck;
import org.xfrmbridge.daemon.os.CurrentProcess;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Shows rules for a kernel's IPsec, and what to say instead. */
@Command(
        name = "firewall",
        mixinStandardHelpOptions = true,
        description = {
            "Shows the rules of this host's firewall that ask for a kernel's IPsec (-m policy, meta ipsec, rt ipsec), "
                    + "or drop what it opened (rpfilter), and the commands that say the same for a bridge.",
            "It changes nothing. Give the commands in the order they are shown: they name places in chains."
        },
        exitCodeListHeading = Main.EXIT_CODES,
        exitCodeList = {" 0:the rules were looked at", " 1:they could not be", " 2:it was asked wrongly"},
        footer = {"", "Example:", "  xfrm-bridge firewall"})
final class FirewallCommand implements Callable<Integer> {
    @Mixin
    private ConfigurationOption configuration;

    @Option(
            names = "--tap",
            paramLabel = "NAME",
            defaultValue = "xfrm0",
            description = "The bridge's interface (default: ${DEFAULT-VALUE}).")
    private String tap;

    @Override
    public Integer call() throws IOException {
        if (CurrentProcess.effectiveUserId() != 0) {
            throw new IOException("the rules of a firewall are shown to root only: run this as root");
        }
        List<Finding> findings = FirewallCheck.findings(tap);
        if (findings.isEmpty()) {
            System.out.println("no rule of this host asks for IPsec");
        }
        findings.forEach(FirewallCommand::print);
        return 0;
    }

    /** So that all of it can be given to a shell. */
    private static void print(Finding finding) {
        System.out.println("# " + finding.rule());
        System.out.println("#   " + finding.reason());
        finding.commands().forEach(System.out::println);
        finding.lasting().forEach(line -> System.out.println("#   to keep it: " + line));
        System.out.println();
    }
}
