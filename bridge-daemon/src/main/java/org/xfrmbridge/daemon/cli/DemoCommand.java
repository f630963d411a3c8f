package org.xfrmbridge.daemon.cli;

import java.util.concurrent.Callable;
import picocli.CommandLine.Command;

/** Only named here: the launcher starts it from a jar of its own, bridge-demo. */
@Command(
        name = "demo",
        mixinStandardHelpOptions = true,
        description = DemoCommand.DESCRIPTION,
        exitCodeListHeading = Main.EXIT_CODES,
        exitCodeList = {" 0:all of it held", " 1:something did not, or could not be done", " 2:it was asked wrongly"},
        footer = {"", "Example:", "  xfrm-bridge demo --keys manual"})
public final class DemoCommand implements Callable<Integer> {
    public static final String DESCRIPTION =
            "Makes two hosts (network namespaces), runs a bridge on each, protects traffic between them,"
                    + " shows what there is to see, and cleans up.";

    @Override
    public Integer call() {
        throw new IllegalStateException("demo is started by the xfrm-bridge script, not by this program");
    }
}
