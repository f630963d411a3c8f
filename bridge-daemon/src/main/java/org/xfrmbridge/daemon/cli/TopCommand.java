package org.xfrmbridge.daemon.cli;

import java.io.IOException;
import java.util.concurrent.Callable;
import org.xfrmbridge.daemon.top.TopScreen;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** Shows a bridge at work. */
@Command(
        name = "top",
        mixinStandardHelpOptions = true,
        description = {
            "Shows on a terminal what a running bridge does: SAs with their rates and what is left of their limits, "
                    + "policies by uses, drops by reason, flows, and the load of its threads.",
            "Keys: 1 to 4 for SAs, policies, drops and flows, s for another order of SAs, r to reverse it, space and b "
                    + "for the next page and the one before, q to end. Root and the bridge's group may look."
        },
        exitCodeListHeading = Main.EXIT_CODES,
        exitCodeList = {" 0:it was shown", " 1:no bridge answers, or there is no terminal", " 2:it was asked wrongly"},
        footer = {"", "Example:", "  xfrm-bridge top", "  xfrm-bridge top --once | grep dying"})
final class TopCommand implements Callable<Integer> {
    private static final int LONGEST_SECONDS = 60;

    @Spec
    private CommandSpec spec;

    @Mixin
    private QueryOptions options;

    @Option(names = "--once", description = "Prints all of it once, with the rates of one second, and ends.")
    private boolean once;

    @Option(
            names = "--seconds",
            paramLabel = "N",
            defaultValue = "2",
            description = "How often it looks, 1 to " + LONGEST_SECONDS + ". Default: every ${DEFAULT-VALUE} seconds.")
    private int seconds;

    @Override
    public Integer call() throws IOException {
        if (seconds < 1 || seconds > LONGEST_SECONDS) {
            throw new ParameterException(spec.commandLine(), "--seconds: from 1 to " + LONGEST_SECONDS + '.');
        }
        if (options.json()) {
            System.out.print(options.figures().toJson());
        } else if (once) {
            System.out.print(TopScreen.once(options));
        } else {
            new TopScreen(options, seconds).show();
        }
        return 0;
    }
}
