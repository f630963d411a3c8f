package org.xfrmbridge.daemon.cli;

import java.io.IOException;
import java.util.concurrent.Callable;
import org.xfrmbridge.daemon.Bridge;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

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
        })
final class DetachCommand implements Callable<Integer> {
    @Mixin
    private DirectoryOption directory;

    @Mixin
    private ConfigurationOption configuration;

    @Override
    public Integer call() throws IOException {
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
