package org.xfrmbridge.daemon.cli;

import java.io.IOException;
import java.util.concurrent.Callable;
import org.xfrmbridge.daemon.Bridge;
import org.xfrmbridge.daemon.journal.Protection;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Opens what a bridge left closed. */
@Command(
        name = "detach",
        mixinStandardHelpOptions = true,
        description = {
            "Takes away what a bridge left in the host's stack, or gives an interface its addresses and routes back, "
                    + "after a bridge that ended while policies protected, or was killed. The policies end with it: "
                    + "from then on what they protected passes in the clear. Their number is said.",
            "End a bridge that runs first (SIGTERM): detach refuses while it does. Without policies it gives the "
                    + "interface back by itself."
        },
        exitCodeListHeading = Main.EXIT_CODES,
        exitCodeList = {
            " 0:nothing is attached any more",
            " 1:a bridge runs, or it could not be undone",
            " 2:it was asked wrongly"
        },
        footer = {"", "Example:", "  xfrm-bridge detach"})
final class DetachCommand implements Callable<Integer> {
    @Mixin
    private DirectoryOption directory;

    @Mixin
    private ConfigurationOption configuration;

    @Option(names = "--dry-run", description = "Only says what would end. Exit code: 0 if no policy protects, else 1.")
    private boolean onlySays;

    @Override
    public Integer call() throws IOException {
        return onlySays ? say() : detach();
    }

    private int say() throws IOException {
        Protection protection = Bridge.protection(directory.directory());
        if (protection == null || !protection.isAny()) {
            System.out.println("no policy protects, in " + directory.directory());
            return 0;
        }
        System.out.println(protection + " protect this host: without a bridge, what they mean does not pass, and after "
                + "detach it passes in the clear");
        return 1;
    }

    private int detach() throws IOException {
        Bridge.Detached detached = Bridge.detach(directory.directory());
        if (detached == null) {
            System.out.println("nothing is attached by " + directory.directory());
        } else if (detached.ended().isAny()) {
            System.out.println(detached.done() + "; with it ended " + detached.ended()
                    + ": what was protected until now passes in the clear");
        } else {
            System.out.println(detached.done() + "; no policy protected it");
        }
        return 0;
    }
}
