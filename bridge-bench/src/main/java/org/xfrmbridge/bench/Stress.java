package org.xfrmbridge.bench;

import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.ScopeType;

/**
 * The stress programs, one subcommand each; {@code bridge-bench/stress.sh} starts it as the launcher starts the bridge.
 */
@Command(
        name = "stress",
        description = "Loads of the databases and the datapath, from a thousand to a million entries, without sockets.",
        subcommands = {
            OnePolicy.class,
            ManyPolicies.class,
            Bundles.class,
            Churn.class,
            FlowFlood.class,
            RekeyStorm.class,
            Growth.class,
            Database.class
        },
        mixinStandardHelpOptions = true,
        scope = ScopeType.INHERIT)
public final class Stress {
    private Stress() {}

    public static void main(String[] arguments) {
        System.exit(new CommandLine(new Stress()).execute(arguments));
    }
}
